// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and dense layers: dot products of bytes in 32 bits, and of anything else in 64.

#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "frame.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include <immintrin.h>
#endif

namespace {

// --- dot products of bytes -----------------------------------------------------------------------

constexpr int kLanes = 16;  // results side by side: 16 sums of 32 bits

// Plain vectors that are passed by value: in structures the compiler keeps them in memory.
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
using Sums = __m512i;
using Weights = __m512i;
inline Sums load(const int32_t* from) { return _mm512_loadu_si512(from); }
inline void store(int32_t* to, Sums sums) { _mm512_storeu_si512(to, sums); }
inline Weights load_weights(const int8_t* from) { return _mm512_loadu_si512(from); }
inline Sums plus_products(Sums sums, const uint8_t* x, Weights weights) {
  int32_t four;
  std::memcpy(&four, x, 4);
  return _mm512_dpbusd_epi32(sums, _mm512_set1_epi32(four), weights);
}
#else
struct Sums {
  int32_t lanes[kLanes];
};
using Weights = const int8_t*;
inline Sums load(const int32_t* from) {
  Sums sums;
  std::memcpy(sums.lanes, from, sizeof sums.lanes);
  return sums;
}
inline void store(int32_t* to, Sums sums) { std::memcpy(to, sums.lanes, sizeof sums.lanes); }
inline Weights load_weights(const int8_t* from) { return from; }
inline Sums plus_products(Sums sums, const uint8_t* x, Weights weights) {
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < 4; ++i) sums.lanes[lane] += x[i] * weights[4 * lane + i];
  return sums;
}
#endif

// A convolution or dense layer of bytes: each step takes four neighboring bytes of every window.
struct DotBytes {
  Place x;
  Image image;
  Padding padding;
  Word scratch;  // where the image is copied to with its border, or -1: it is used where it lies
  Window window;
  Word groups, outputs;  // outputs of one group
  Word steps, offsets, weights, bias;
  Place y;
  Word scaled;
  Scale scale;
};

constexpr int kMostPixels = 8, kMostBlocks = 8;
// So many steps of four blocks of weights, 16 KiB, stay in the first cache while they are used for a
// tile of so many blocks of pixels, whose sums stay there too.
constexpr Word kStepsAtOnce = 64, kTile = 8;

// Adds `steps` of the `all` steps of a window to what the sums of each pixel are so far. Those of
// pixel i lie at from + i * from_stride and go to + i * to_stride; what lies beyond a stride there is
// overwritten.
template <int Pixels, int Blocks>
void dot(const uint8_t* const* base, const int32_t* offsets, const int8_t* weights, Word steps,
         Word all, const int32_t* from, Word from_stride, int32_t* to, Word to_stride) {
  Sums sums[Pixels][Blocks];
#pragma GCC unroll 8
  for (int i = 0; i < Pixels; ++i)
#pragma GCC unroll 8
    for (int b = 0; b < Blocks; ++b) sums[i][b] = load(from + i * from_stride + b * kLanes);
  for (Word step = 0; step < steps; ++step) {
#pragma GCC unroll 8
    for (int b = 0; b < Blocks; ++b) {
      const Weights row = load_weights(weights + (b * all + step) * 4 * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < Pixels; ++i)
        sums[i][b] = plus_products(sums[i][b], base[i] + offsets[step], row);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Pixels; ++i)
#pragma GCC unroll 8
    for (int b = 0; b < Blocks; ++b) store(to + i * to_stride + b * kLanes, sums[i][b]);
}

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
template <typename Out>
void store_codes(Out* y, __m512i codes) {
  if constexpr (sizeof(Out) == 1) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm512_cvtepi32_epi8(codes));
  } else {
    _mm512_storeu_si512(y, codes);
  }
}

// Only the low half of a scaled number matters here, so that even and odd ones are put together
// first, each by one shift to its place, and are clamped side by side.
template <typename Out>
void scale_narrow(const int32_t* x, const int32_t* multiplier, Word step, Word n, const Scale& s,
                  Out* y) {
  const Word half = s.shift && s.rounding == kHalfUp ? Word{1} << (s.shift - 1) : 0;
  const __m512i addend = _mm512_set1_epi64(half + s.zero_point * (Word{1} << s.shift));
  const __m512i low = _mm512_set1_epi32(static_cast<int32_t>(s.low));
  const __m512i high = _mm512_set1_epi32(static_cast<int32_t>(s.high));
  const __m128i down = _mm_cvtsi64_si128(s.shift), up = _mm_cvtsi64_si128(32 - s.shift);
  for (Word i = 0; i < n; i += kLanes, multiplier += step) {
    const __m512i a = _mm512_loadu_si512(x + i), b = _mm512_loadu_si512(multiplier);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, b), addend);
    const __m512i odd = _mm512_add_epi64(
        _mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32)), addend);
    const __m512i codes = _mm512_mask_blend_epi32(0xAAAA, _mm512_srl_epi64(even, down),
                                                  _mm512_sll_epi64(odd, up));
    store_codes(y + i, _mm512_min_epi32(_mm512_max_epi32(codes, low), high));
  }
}

// As scale_narrow, of 64 bytes at a time, with a shift of 32: the high halves of the products are the
// results, and packing clamps them to what a byte holds. Those 64 are the blocks of one pixel, or of
// two; there are whole ones.
template <int Blocks, typename Out>
void scale_bytes(const int32_t* x, const int32_t* multiplier, Word pixels, Word apart, const Scale& s,
                 Out* y) {
  const Word half = s.rounding == kHalfUp ? Word{1} << 31 : 0;
  const __m512i addend = _mm512_set1_epi64(half + s.zero_point * (Word{1} << 32));
  const __m512i low = _mm512_set1_epi8(static_cast<char>(s.low));
  const __m512i high = _mm512_set1_epi8(static_cast<char>(s.high));
  // Packing takes four numbers of each in turns.
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  __m512i even[4], odd[4], codes[4];
  for (int b = 0; b < 4; ++b) {
    even[b] = _mm512_loadu_si512(multiplier + b % Blocks * kLanes);
    odd[b] = _mm512_srli_epi64(even[b], 32);
  }
  for (Word i = 0; i < pixels; i += 4 / Blocks, x += 4 * kLanes, y += 4 / Blocks * apart) {
#pragma GCC unroll 4
    for (int b = 0; b < 4; ++b) {
      const __m512i a = _mm512_loadu_si512(x + b * kLanes);
      const __m512i left = _mm512_add_epi64(_mm512_mul_epi32(a, even[b]), addend);
      const __m512i right = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), odd[b]), addend);
      codes[b] = _mm512_mask_shuffle_epi32(right, 0x5555, left, _MM_PERM_DDBB);
    }
    const __m512i front = _mm512_packs_epi32(codes[0], codes[1]);
    const __m512i back = _mm512_packs_epi32(codes[2], codes[3]);
    __m512i bytes;
    if constexpr (std::is_signed_v<Out>) {
      bytes = _mm512_packs_epi16(front, back);
      bytes = _mm512_min_epi8(_mm512_max_epi8(bytes, low), high);
    } else {
      bytes = _mm512_packus_epi16(front, back);
      bytes = _mm512_min_epu8(_mm512_max_epu8(bytes, low), high);
    }
    bytes = _mm512_permutexvar_epi32(order, bytes);
    if constexpr (Blocks == 4) {
      _mm512_storeu_si512(y, bytes);
    } else {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm512_castsi512_si256(bytes));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + apart), _mm512_extracti64x4_epi64(bytes, 1));
    }
  }
}
#endif

// Rounds half up, or down where that is asked for. n is a multiple of the lanes; the multipliers are
// those of the first lanes again and again where `step` is 0, and else one each.
template <typename Out>
void scale_lanes(const int32_t* x, const int32_t* multiplier, Word step, Word n, const Scale& s,
                 Out* y) {
  const Word half = s.shift && s.rounding == kHalfUp ? Word{1} << (s.shift - 1) : 0;
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
  const __m512i halves = _mm512_set1_epi64(half), zeros = _mm512_set1_epi64(s.zero_point);
  const __m512i lows = _mm512_set1_epi64(s.low), highs = _mm512_set1_epi64(s.high);
  const __m128i shift = _mm_cvtsi64_si128(s.shift);
  const auto scaled = [&](__m512i a, __m512i b) {  // the even ones of 16 numbers
    const __m512i product = _mm512_add_epi64(_mm512_mul_epi32(a, b), halves);
    const __m512i code = _mm512_add_epi64(_mm512_sra_epi64(product, shift), zeros);
    return _mm512_min_epi64(_mm512_max_epi64(code, lows), highs);
  };
  if (s.narrow) return scale_narrow(x, multiplier, step, n, s, y);
  for (Word i = 0; i < n; i += kLanes, multiplier += step) {
    const __m512i a = _mm512_loadu_si512(x + i), b = _mm512_loadu_si512(multiplier);
    const __m512i even = scaled(a, b);
    const __m512i odd = scaled(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
    const __m512i codes = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
    store_codes(y + i, codes);
  }
#else
  for (Word i = 0; i < n; i += kLanes, multiplier += step)
    for (Word lane = 0; lane < kLanes; ++lane) {
      const Word product = Word{x[i + lane]} * Word{multiplier[lane]} + half;
      const Word code = (product >> s.shift) + s.zero_point;
      y[i + lane] = static_cast<Out>(clamp(code, s.low, s.high));
    }
#endif
}

// Copies an image into its border; signed bytes are moved up by 128, which the bias knows.
const uint8_t* bordered(const Frame& frame, const DotBytes& d) {
  const uint8_t* x = frame.at<uint8_t>(d.x.offset);
  if (d.scratch < 0) return x;
  uint8_t* image = frame.at<uint8_t>(d.scratch);
  const uint8_t flip = d.x.kind == kS8 ? 128 : 0;
  const Word row = d.image.width * d.image.channels;
  const Word left = d.padding.left * d.image.channels, right = d.padding.right * d.image.channels;
  const Word wide = left + row + right;
  const uint8_t border = static_cast<uint8_t>(d.padding.value) ^ flip;
  std::memset(image, border, d.padding.top * wide);
  uint8_t* to = image + d.padding.top * wide;
  for (Word h = 0; h < d.image.height; ++h, to += wide) {
    std::memset(to, border, left);
    std::memcpy(to + left, x + h * row, row);
    if (flip)
      for (Word i = 0; i < row; ++i) to[left + i] ^= flip;
    std::memset(to + left + row, border, right);
  }
  std::memset(to, border, d.padding.bottom * wide);
  return image;
}

struct Block {
  Word group, first, count, pixel, pixels;  // channels `first..` of a group, some pixels
};

// Stores a block of sums, scaled or as they are; those of each pixel begin `stride` after another's.
template <typename Out>
void store_block(const Frame& frame, const DotBytes& d, const Block& b, Word stride, const int32_t* sums) {
  const Word channels = d.groups * d.outputs, table = (d.outputs + kLanes - 1) / kLanes * kLanes;
  Out* y = frame.at<Out>(d.y.offset) + b.pixel * channels + b.group * d.outputs + b.first;
  if (!d.scaled) {
    for (Word i = 0; i < b.pixels; ++i)
      for (Word k = 0; k < b.count; ++k) y[i * channels + k] = static_cast<Out>(sums[i * stride + k]);
    return;
  }
  alignas(64) Out results[kMostPixels * kMostBlocks * kLanes];
  const int32_t* multiplier = frame.constant<int32_t>(d.scale.multiplier);
  if (d.scale.period > table) {  // few channels: the pixels lie side by side, and so they are scaled
    const Word n = b.pixels * b.count;
    scale_lanes(sums, multiplier, kLanes, (n + kLanes - 1) / kLanes * kLanes, d.scale, results);
    std::memcpy(y, results, n * sizeof(Out));
    return;
  }
  const int32_t* own = multiplier + b.group * table + b.first;
  const bool whole = b.count == stride;
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
  if constexpr (sizeof(Out) == 1) {
    if (whole && d.scale.narrow && d.scale.shift == 32) {
      if (stride == 4 * kLanes) return scale_bytes<4>(sums, own, b.pixels, channels, d.scale, y);
      if (stride == 2 * kLanes && b.pixels % 2 == 0)
        return scale_bytes<2>(sums, own, b.pixels, channels, d.scale, y);
    }
  }
#endif
  for (Word i = 0; i < b.pixels; ++i) {
    scale_lanes(sums + i * stride, own, kLanes, stride, d.scale, whole ? y + i * channels : results);
    if (!whole) std::memcpy(y + i * channels, results, b.count * sizeof(Out));
  }
}

template <int Pixels, int Blocks, typename Out>
void dot_blocks(const Frame& frame, const DotBytes& d, const uint8_t* image, Word group, Word first) {
  const Word columns = d.padding.left + d.image.width + d.padding.right;
  const Word down = d.window.down * columns * d.image.channels;
  const Word across = d.window.across * d.image.channels;
  const Word table = (d.outputs + kLanes - 1) / kLanes;
  const Word share = d.image.channels / d.groups, pixels = d.window.rows * d.window.columns;
  const int32_t* offsets = frame.constant<int32_t>(d.offsets);
  const int8_t* weights = frame.constant<int8_t>(d.weights) +
                          (group * table * kLanes + first) * d.steps * 4;
  const int32_t* bias = frame.constant<int32_t>(d.bias) + group * table * kLanes + first;
  const Word count = std::min<Word>(Blocks * kLanes, d.outputs - first);
  const Word stride = d.scaled && d.scale.period > table * kLanes ? count : Blocks * kLanes;
  constexpr Word kFull = Blocks * kLanes;
  alignas(64) int32_t sums[Pixels * kFull], partial[kTile][Pixels * kFull];
  const uint8_t* base[kTile][Pixels];
  Word row = 0, column = 0;
  for (Word start = 0; start < pixels; start += kTile * Pixels) {
    const Word tile = std::min<Word>(kTile, (pixels - start + Pixels - 1) / Pixels);
    for (Word i = 0; i < tile * Pixels; ++i) {
      const Word inside = start + i < pixels;
      base[i / Pixels][i % Pixels] =
          inside ? image + row * down + column * across + group * share : base[0][0];
      if (++column == d.window.columns) column = 0, ++row;
    }
    for (Word step = 0; step < d.steps; step += kStepsAtOnce) {
      const Word steps = std::min(kStepsAtOnce, d.steps - step);
      const bool last = step + steps == d.steps;
      for (Word t = 0; t < tile; ++t) {
        dot<Pixels, Blocks>(base[t], offsets + step, weights + step * 4 * kLanes, steps, d.steps,
                            step ? partial[t] : bias, step ? kFull : 0,
                            last ? sums : partial[t], last ? stride : kFull);
        const Word pixel = start + t * Pixels, valid = std::min<Word>(Pixels, pixels - pixel);
        if (last) store_block<Out>(frame, d, {group, first, count, pixel, valid}, stride, sums);
      }
    }
  }
}

template <typename Out>
void dot_bytes_as(const Frame& frame, const DotBytes& d) {
  const uint8_t* image = bordered(frame, d);
  const bool vector = d.window.rows * d.window.columns == 1;
  for (Word group = 0; group < d.groups; ++group) {
    for (Word first = 0; first < d.outputs;) {
      const Word left = (d.outputs - first + kLanes - 1) / kLanes;
      int blocks = 1;
      if (vector && left >= 8) {
        dot_blocks<1, 8, Out>(frame, d, image, group, first), blocks = 8;
      } else if (vector) {
        dot_blocks<1, 1, Out>(frame, d, image, group, first);
      } else if (left >= 4) {  // 24 sums, 4 weights and a pixel: what 32 registers hold
        dot_blocks<6, 4, Out>(frame, d, image, group, first), blocks = 4;
      } else if (left >= 2) {
        dot_blocks<8, 2, Out>(frame, d, image, group, first), blocks = 2;
      } else {
        dot_blocks<8, 1, Out>(frame, d, image, group, first);
      }
      first += blocks * kLanes;
    }
  }
}

// Scaled results have at most 32 bits; sums that fit 32 bits may lie in a place of 64.
void dot_bytes(const Frame& frame, const DotBytes& d) {
  with(d.y.kind, [&](auto out) { dot_bytes_as<decltype(out)>(frame, d); });
}

// --- dot products of anything else ---------------------------------------------------------------

struct DotWide {
  Place x;
  Image image;
  Padding padding;
  Word scratch;
  Window window;
  Word groups, outputs, kernel_rows, kernel_columns, dilation_down, dilation_across, weights, bias;
  Place y;
};

void dot_wide(const Frame& frame, const DotWide& d) {
  const Word wide = d.padding.left + d.image.width + d.padding.right, channels = d.image.channels;
  const Word tall = d.padding.top + d.image.height + d.padding.bottom;
  Word* image = frame.at<Word>(d.scratch);
  std::fill(image, image + tall * wide * channels, d.padding.value);
  with(d.x.kind, [&](auto in) {
    const auto* x = frame.at<decltype(in)>(d.x.offset);
    for (Word h = 0; h < d.image.height; ++h)
      std::copy_n(x + h * d.image.width * channels, d.image.width * channels,
                  image + ((d.padding.top + h) * wide + d.padding.left) * channels);
  });
  const Word share = channels / d.groups;
  const Word* bias = frame.constant<Word>(d.bias);
  with(d.y.kind, [&](auto out) {
    auto* y = frame.at<decltype(out)>(d.y.offset);
    for (Word p = 0; p < d.window.rows; ++p)
      for (Word q = 0; q < d.window.columns; ++q) {
        const Word* weight = frame.constant<Word>(d.weights);
        for (Word k = 0; k < d.groups * d.outputs; ++k) {
          Word sum = bias[k];
          for (Word r = 0; r < d.kernel_rows; ++r)
            for (Word s = 0; s < d.kernel_columns; ++s, weight += share) {
              const Word h = p * d.window.down + r * d.dilation_down;
              const Word w = q * d.window.across + s * d.dilation_across;
              const Word* x = image + (h * wide + w) * channels + k / d.outputs * share;
              for (Word c = 0; c < share; ++c) sum += x[c] * weight[c];
            }
          *y++ = static_cast<decltype(out)>(sum);
        }
      }
  });
}

}  // namespace
