// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and dense layers: dot products of bytes in 32 bits, and of anything else in 64.

#pragma once

#include <algorithm>
#include <cstring>

#include "frame.h"

#if defined(__AVX512VNNI__) && defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace {

// --- dot products of bytes -----------------------------------------------------------------------

constexpr int kLanes = 16;  // results side by side: 16 sums of 32 bits

#if defined(__AVX512VNNI__) && defined(__AVX512F__)
struct Sums {
  __m512i value;
  void load(const int32_t* from) { value = _mm512_loadu_si512(from); }
  void store(int32_t* to) const { _mm512_storeu_si512(to, value); }
};
struct Weights {
  __m512i value;
  explicit Weights(const int8_t* from) : value(_mm512_loadu_si512(from)) {}
};
void add_products(Sums& sums, const uint8_t* x, const Weights& weights) {
  int32_t four;
  std::memcpy(&four, x, 4);
  sums.value = _mm512_dpbusd_epi32(sums.value, _mm512_set1_epi32(four), weights.value);
}
#else
struct Sums {
  int32_t value[kLanes];
  void load(const int32_t* from) { std::memcpy(value, from, sizeof value); }
  void store(int32_t* to) const { std::memcpy(to, value, sizeof value); }
};
struct Weights {
  const int8_t* value;
  explicit Weights(const int8_t* from) : value(from) {}
};
void add_products(Sums& sums, const uint8_t* x, const Weights& weights) {
  for (int lane = 0; lane < kLanes; ++lane)
    for (int i = 0; i < 4; ++i) sums.value[lane] += x[i] * weights.value[4 * lane + i];
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

// Sums of pixel i are stored at result + i * stride; what lies beyond the stride is overwritten.
template <int Pixels, int Blocks>
void dot(const uint8_t* const* base, const int32_t* offsets, Word steps, const int8_t* weights,
         const int32_t* bias, int32_t* result, Word stride) {
  Sums sums[Pixels][Blocks];
  for (int i = 0; i < Pixels; ++i)
    for (int b = 0; b < Blocks; ++b) sums[i][b].load(bias + b * kLanes);
  for (Word step = 0; step < steps; ++step) {
    for (int b = 0; b < Blocks; ++b) {
      const Weights row(weights + (b * steps + step) * 4 * kLanes);
      for (int i = 0; i < Pixels; ++i) add_products(sums[i][b], base[i] + offsets[step], row);
    }
  }
  for (int i = 0; i < Pixels; ++i)
    for (int b = 0; b < Blocks; ++b) sums[i][b].store(result + i * stride + b * kLanes);
}

// Rounds half up, or down where that is asked for. n is a multiple of the lanes; the multipliers are
// those of the first lanes again and again where `step` is 0, and else one each.
template <typename Out>
void scale_lanes(const int32_t* x, const int32_t* multiplier, Word step, Word n, const Scale& s,
                 Out* y) {
  const Word half = s.shift && s.rounding == kHalfUp ? Word{1} << (s.shift - 1) : 0;
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
  const __m512i halves = _mm512_set1_epi64(half), zeros = _mm512_set1_epi64(s.zero_point);
  const __m512i lows = _mm512_set1_epi64(s.low), highs = _mm512_set1_epi64(s.high);
  const __m128i shift = _mm_cvtsi64_si128(s.shift);
  const auto scaled = [&](__m512i a, __m512i b) {  // the even ones of 16 numbers
    const __m512i product = _mm512_add_epi64(_mm512_mul_epi32(a, b), halves);
    const __m512i code = _mm512_add_epi64(_mm512_sra_epi64(product, shift), zeros);
    return _mm512_min_epi64(_mm512_max_epi64(code, lows), highs);
  };
  for (Word i = 0; i < n; i += kLanes, multiplier += step) {
    const __m512i a = _mm512_loadu_si512(x + i), b = _mm512_loadu_si512(multiplier);
    const __m512i even = scaled(a, b);
    const __m512i odd = scaled(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
    const __m512i codes = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
    if constexpr (sizeof(Out) == 1) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm512_cvtepi32_epi8(codes));
    } else {
      _mm512_storeu_si512(y + i, codes);
    }
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
void store(const Frame& frame, const DotBytes& d, const Block& b, Word stride, const int32_t* sums) {
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
  for (Word i = 0; i < b.pixels; ++i) {
    const int32_t* own = multiplier + b.group * table + b.first;
    scale_lanes(sums + i * stride, own, kLanes, stride, d.scale, results);
    std::memcpy(y + i * channels, results, b.count * sizeof(Out));
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
  alignas(64) int32_t sums[Pixels * Blocks * kLanes];
  const uint8_t* base[Pixels];
  Word row = 0, column = 0;
  for (Word pixel = 0; pixel < pixels; pixel += Pixels) {
    const Word valid = std::min<Word>(Pixels, pixels - pixel);
    for (Word i = 0; i < Pixels; ++i) {
      base[i] = i < valid ? image + row * down + column * across + group * share : base[0];
      if (++column == d.window.columns) column = 0, ++row;
    }
    dot<Pixels, Blocks>(base, offsets, d.steps, weights, bias, sums, stride);
    store<Out>(frame, d, {group, first, count, pixel, valid}, stride, sums);
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
