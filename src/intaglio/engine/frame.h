// SPDX-License-Identifier: Apache-2.0
//
// What every kernel needs: where values lie, how they are stored, how numbers are rounded.

#pragma once

#include <algorithm>
#include <cstdint>

namespace {

using Word = int64_t;

enum Kind : Word { kU8, kS8, kI32, kI64 };
enum Rounding : Word { kHalfUp, kHalfEven, kHalfAway, kFloor };

// One machine's state while a frame is computed.
struct Frame {
  const uint8_t* constants;
  uint8_t* arena;
  const uint8_t* input;
  uint8_t* const* outputs;
  Word index;
  bool finite;

  template <typename T>
  const T* constant(Word offset) const {
    return reinterpret_cast<const T*>(constants + offset);
  }
  template <typename T>
  T* at(Word offset) const {
    return reinterpret_cast<T*>(arena + offset);
  }
};

struct Place {
  Word offset, kind;
};

struct Image {
  Word height, width, channels;
};

struct Padding {
  Word top, left, bottom, right, value;
};

struct Window {
  Word rows, columns, down, across;  // how many windows, and how far apart
};

// y = clamp(zero_point + round(x * multiplier / 2^shift)); `period` multipliers lie in a row.
struct Scale {
  Word multiplier, period, shift, zero_point, low, high, rounding;
  Word narrow;  // whether no result, before it is clamped, leaves 32 bits
};

template <typename Call>
void with(Word kind, Call call) {
  switch (kind) {
    case kU8: return call(uint8_t{});
    case kS8: return call(int8_t{});
    case kI32: return call(int32_t{});
    default: return call(int64_t{});
  }
}

Word round_shift(Word value, Word shift, Word rounding) {
  if (shift == 0) return value;
  const Word half = Word{1} << (shift - 1);
  switch (rounding) {
    case kHalfUp: return (value + half) >> shift;
    case kHalfEven: return (value + half - 1 + ((value >> shift) & 1)) >> shift;
    case kHalfAway: return (value + half - (value < 0)) >> shift;
    default: return value >> shift;
  }
}

Word clamp(Word value, Word low, Word high) { return std::min(std::max(value, low), high); }

}  // namespace
