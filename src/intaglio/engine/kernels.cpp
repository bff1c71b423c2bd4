// SPDX-License-Identifier: Apache-2.0
//
// Runs a program frame after frame from a tape of instructions, in integers only.
//
// A tape is a row of 64-bit words: instruction, its length in words, its fields. The structures
// below are these fields in order; tape.py and its rules write them. Values of a frame lie in an
// arena, constants in a block; both are given by byte offsets. Frames are channels last.
//
// Nothing here can overflow: tape.py chooses kinds and kernels by the bounds of every value.

#include <algorithm>
#include <type_traits>

#include "dots.h"
#include "ends.h"
#include "frame.h"

namespace {

struct Requantize {
  Place x;
  Word size;
  Place y;
  Scale scale;
};

// One multiplier for all numbers of at most 32 bits.
template <typename In, typename Out>
void requantize_lanes(const In* x, int32_t multiplier, const Requantize& r, Out* y) {
  int32_t factors[kLanes], wide[4 * kLanes];
  std::fill_n(factors, kLanes, multiplier);
  for (Word i = 0; i < r.size; i += 4 * kLanes) {
    const Word n = std::min<Word>(4 * kLanes, r.size - i);
    std::copy_n(x + i, n, wide);
    std::fill(wide + n, wide + 4 * kLanes, 0);
    scale_lanes(wide, factors, 0, (n + kLanes - 1) / kLanes * kLanes, r.scale, y + i);
  }
}

void requantize(const Frame& frame, const Requantize& r) {
  const Scale s = r.scale;
  const Word* multiplier = frame.constant<Word>(s.multiplier);
  const bool lanes = s.period == 1 && (s.rounding == kHalfUp || s.rounding == kFloor) &&
                     *multiplier <= INT32_MAX;
  with(r.x.kind, [&](auto in) {
    with(r.y.kind, [&](auto out) {
      using Out = decltype(out);
      const auto* x = frame.at<decltype(in)>(r.x.offset);
      Out* y = frame.at<Out>(r.y.offset);
      if constexpr (sizeof(in) <= 4 && sizeof(Out) <= 4) {
        if (lanes) return requantize_lanes(x, static_cast<int32_t>(*multiplier), r, y);
      }
      for (Word i = 0, channel = 0; i < r.size; ++i) {
        const Word shifted = round_shift(x[i] * multiplier[channel], s.shift, s.rounding);
        y[i] = static_cast<Out>(clamp(shifted + s.zero_point, s.low, s.high));
        if (++channel == s.period) channel = 0;
      }
    });
  });
}

// y = clamp(zero_point + floor((x * multiplier + addend) / 2^shift)); `period` pairs lie in a row.
// A whole quotient becomes one less if its last bit is `moved`.
struct RequantizeAffine {
  Place x;
  Word size;
  Place y;
  Word pairs, period, shift, zero_point, low, high, moved;
};

void requantize_affine(const Frame& frame, const RequantizeAffine& r) {
  const Word* pairs = frame.constant<Word>(r.pairs);
  with(r.x.kind, [&](auto in) {
    with(r.y.kind, [&](auto out) {
      using Out = decltype(out);
      const auto* x = frame.at<decltype(in)>(r.x.offset);
      Out* y = frame.at<Out>(r.y.offset);
      for (Word i = 0, channel = 0; i < r.size; ++i) {
        const Word total = x[i] * pairs[2 * channel] + pairs[2 * channel + 1];
        Word level = total >> r.shift;
        if (level << r.shift == total && (level & 1) == r.moved) --level;
        y[i] = static_cast<Out>(clamp(level + r.zero_point, r.low, r.high));
        if (++channel == r.period) channel = 0;
      }
    });
  });
}

struct Pool {
  Place x;
  Image image;
  Padding padding;
  Word scratch;
  Window window;
  Word kernel_rows, kernel_columns;
  Place y;
};

// Reduces rows first, whole rows at a time, then columns, so many channels at once as 32 bytes hold:
// what that writes beyond a window's last channel, the next window overwrites. Padding counts in a sum
// only.
template <bool Maximum, typename In, typename Sum>
void pool_as(const Frame& frame, const Pool& d) {
  constexpr Word kSide = 32 / sizeof(Sum);
  const Word row = d.image.width * d.image.channels, channels = d.image.channels;
  const In* x = frame.at<In>(d.x.offset);
  Sum* column = frame.at<Sum>(d.scratch);
  Sum* y = frame.at<Sum>(d.y.offset);
  const auto reduce = [](Sum a, Sum b) { return Maximum ? std::max(a, b) : static_cast<Sum>(a + b); };
  for (Word p = 0; p < d.window.rows; ++p) {
    const Word top = p * d.window.down - d.padding.top;
    const Word first = std::max<Word>(top, 0);
    const Word end = std::min(top + d.kernel_rows, d.image.height);
    const Sum outside = static_cast<Sum>(d.padding.value * (d.kernel_rows - (end - first)));
    for (Word i = 0; i < row; ++i) column[i] = x[first * row + i];
    for (Word h = first + 1; h < end; ++h)
      for (Word i = 0; i < row; ++i) column[i] = reduce(column[i], x[h * row + i]);
    if (!Maximum)
      for (Word i = 0; i < row; ++i) column[i] += outside;
    for (Word q = 0; q < d.window.columns; ++q, y += channels) {
      const Word left = q * d.window.across - d.padding.left;
      const Word from = std::max<Word>(left, 0);
      const Word to = std::min(left + d.kernel_columns, d.image.width);
      const Word missing = d.kernel_columns - (to - from);
      const Sum border = static_cast<Sum>(d.padding.value * d.kernel_rows * missing);
      for (Word c = 0; c < channels; c += kSide) {
        const Sum* part = column + from * channels + c;
        Sum side[kSide];
        for (Word i = 0; i < kSide; ++i) side[i] = Maximum ? part[i] : static_cast<Sum>(part[i] + border);
        for (Word w = from + 1; w < to; ++w) {
          part += channels;
          for (Word i = 0; i < kSide; ++i) side[i] = reduce(side[i], part[i]);
        }
        std::copy_n(side, kSide, y + c);
      }
    }
  }
}

void max_pool(const Frame& frame, const Pool& d) {
  with(d.x.kind, [&](auto in) { pool_as<true, decltype(in), decltype(in)>(frame, d); });
}

void sum_pool(const Frame& frame, const Pool& d) {
  with(d.x.kind, [&](auto in) {
    if (d.y.kind == kI32) return pool_as<false, decltype(in), int32_t>(frame, d);
    pool_as<false, decltype(in), int64_t>(frame, d);
  });
}

// Calls with pointers to two operands and to a result of 32 or 64 bits.
template <typename Call>
void with_three(const Frame& frame, Place x, Place y, Place z, Call call) {
  with(x.kind, [&](auto left) {
    with(y.kind, [&](auto right) {
      const auto* a = frame.at<decltype(left)>(x.offset);
      const auto* b = frame.at<decltype(right)>(y.offset);
      if (z.kind == kI32) return call(a, b, frame.at<int32_t>(z.offset));
      call(a, b, frame.at<int64_t>(z.offset));
    });
  });
}

struct Pair {
  Place x, y;
  Word size;
  Place z;
};

template <bool Product>
void combine(const Frame& frame, const Pair& p) {
  with_three(frame, p.x, p.y, p.z, [&](const auto* x, const auto* y, auto* z) {
    for (Word i = 0; i < p.size; ++i) {
      const Word a = x[i], b = y[i];
      z[i] = static_cast<std::decay_t<decltype(*z)>>(Product ? a * b : a + b);
    }
  });
}

// z[b][m][n] = sum of x[b][m][k] * y[b][k][n]: rows of y are added up, times an element of x each.
struct BatchMatmul {
  Place x, y;
  Word matrices, rows, inner, columns;
  Place z;
};

void batch_matmul(const Frame& frame, const BatchMatmul& m) {
  with_three(frame, m.x, m.y, m.z, [&](const auto* x, const auto* y, auto* z) {
    using Out = std::decay_t<decltype(*z)>;
    for (Word matrix = 0; matrix < m.matrices; ++matrix, y += m.inner * m.columns)
      for (Word row = 0; row < m.rows; ++row, x += m.inner, z += m.columns) {
        std::fill_n(z, m.columns, Out{0});
        for (Word k = 0; k < m.inner; ++k) {
          const Out factor = static_cast<Out>(x[k]);
          const auto* from = y + k * m.columns;
          for (Word n = 0; n < m.columns; ++n) z[n] += factor * static_cast<Out>(from[n]);
        }
      }
  });
}

// Runs of x and of y in turns.
struct Concat {
  Place x, y;
  Word turns, x_run, y_run;
  Place z;
};

void concat(const Frame& frame, const Concat& c) {
  const auto place = [&](Place from, Word run, Word start) {
    with(from.kind, [&](auto in) {
      with(c.z.kind, [&](auto out) {
        const auto* x = frame.at<decltype(in)>(from.offset);
        auto* z = frame.at<decltype(out)>(c.z.offset) + start;
        for (Word turn = 0; turn < c.turns; ++turn, x += run, z += c.x_run + c.y_run)
          for (Word i = 0; i < run; ++i) z[i] = static_cast<decltype(out)>(x[i]);
      });
    });
  };
  place(c.x, c.x_run, 0);
  place(c.y, c.y_run, c.x_run);
}

// y[i] = table[x[i] - lowest], the table being of y's kind.
struct Lookup {
  Place x;
  Word size;
  Place y;
  Word table, lowest;
};

void lookup(const Frame& frame, const Lookup& l) {
  with(l.x.kind, [&](auto in) {
    with(l.y.kind, [&](auto out) {
      const auto* x = frame.at<decltype(in)>(l.x.offset);
      auto* y = frame.at<decltype(out)>(l.y.offset);
      const auto* table = frame.constant<decltype(out)>(l.table);
      for (Word i = 0; i < l.size; ++i) y[i] = table[x[i] - l.lowest];
    });
  });
}

struct Clamp {
  Place x;
  Word size;
  Place y;
  Word low, high;
};

void clamp_all(const Frame& frame, const Clamp& c) {
  with(c.x.kind, [&](auto in) {
    with(c.y.kind, [&](auto out) {
      const auto* x = frame.at<decltype(in)>(c.x.offset);
      auto* y = frame.at<decltype(out)>(c.y.offset);
      for (Word i = 0; i < c.size; ++i)
        y[i] = static_cast<decltype(out)>(clamp(x[i], c.low, c.high));
    });
  });
}

// y[i] = x[from[i]], and `value` where from[i] is negative.
struct Move {
  Place x;
  Word size;
  Place y;
  Word from, value;
};

void move(const Frame& frame, const Move& m) {
  with(m.x.kind, [&](auto in) {
    with(m.y.kind, [&](auto out) {
      const auto* x = frame.at<decltype(in)>(m.x.offset);
      auto* y = frame.at<decltype(out)>(m.y.offset);
      const int32_t* from = frame.constant<int32_t>(m.from);
      for (Word i = 0; i < m.size; ++i)
        y[i] = static_cast<decltype(out)>(from[i] < 0 ? m.value : Word{x[from[i]]});
    });
  });
}

struct Argmax {
  Place x;
  Word size;
  Place y;
};

void argmax(const Frame& frame, const Argmax& a) {
  with(a.x.kind, [&](auto in) {
    const auto* x = frame.at<decltype(in)>(a.x.offset);
    const Word index = std::max_element(x, x + a.size) - x;
    with(a.y.kind, [&](auto out) {
      *frame.at<decltype(out)>(a.y.offset) = static_cast<decltype(out)>(index);
    });
  });
}

enum Instruction : Word {
  kEntrance, kExit, kDotBytes, kDotWide, kRequantize, kMaxPool, kSumPool, kAdd, kClamp, kMove, kArgmax,
  kMultiply, kConcat, kLookup, kBatchMatmul, kRequantizeAffine
};

template <typename Fields>
const Fields& fields(const Word* words) {
  return *reinterpret_cast<const Fields*>(words);
}

void execute(Frame& frame, Word instruction, const Word* words) {
  switch (instruction) {
    case kEntrance: return entrance(frame, fields<Entrance>(words));
    case kExit: return leave(frame, fields<Exit>(words));
    case kDotBytes: return dot_bytes(frame, fields<DotBytes>(words));
    case kDotWide: return dot_wide(frame, fields<DotWide>(words));
    case kRequantize: return requantize(frame, fields<Requantize>(words));
    case kMaxPool: return max_pool(frame, fields<Pool>(words));
    case kSumPool: return sum_pool(frame, fields<Pool>(words));
    case kAdd: return combine<false>(frame, fields<Pair>(words));
    case kClamp: return clamp_all(frame, fields<Clamp>(words));
    case kMove: return move(frame, fields<Move>(words));
    case kArgmax: return argmax(frame, fields<Argmax>(words));
    case kMultiply: return combine<true>(frame, fields<Pair>(words));
    case kConcat: return concat(frame, fields<Concat>(words));
    case kLookup: return lookup(frame, fields<Lookup>(words));
    case kRequantizeAffine: return requantize_affine(frame, fields<RequantizeAffine>(words));
    default: return batch_matmul(frame, fields<BatchMatmul>(words));
  }
}

}  // namespace

// Runs frames first..end of a batch; returns 0, or 1 where a real input is not finite.
extern "C" int run_tape(const Word* tape, Word length, const uint8_t* constants, uint8_t* arena,
                        const uint8_t* input, uint8_t* const* outputs, Word first, Word end) {
  Frame frame{constants, arena, input, outputs, first, true};
  for (; frame.index < end; ++frame.index)
    for (const Word* at = tape; at < tape + length; at += at[1]) execute(frame, at[0], at + 2);
  return frame.finite ? 0 : 1;
}
