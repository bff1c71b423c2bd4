// SPDX-License-Identifier: Apache-2.0
//
// Where frames enter and leave: as codes, or as real numbers that are quantized here.

#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "frame.h"

namespace {

enum Element : Word { kInt8, kInt16, kInt32, kInt64, kFloat32, kFloat64 };

// Codes of any width; or reals, which round half up at a scale: floor(x / scale + 0.5) + zero.
struct Entrance {
  Word element;
  Word pixels, channels, channels_first;
  Place y;
  Word scale, period, zero_point, low, high;  // of reals
};

constexpr Word kChunk = 64;  // numbers that are rounded side by side

// Returns whether all numbers are finite.
template <typename In, typename Code>
bool quantize(const In* x, Word n, Word next, double scale, const Entrance& e, Code* codes) {
  const double zero = e.zero_point, low = e.low, high = e.high;
  double reals[kChunk];
  bool finite = true;
  for (Word i = 0; i < n; ++i) reals[i] = x[i * next];
  for (Word i = 0; i < n; ++i) finite &= std::fabs(reals[i]) <= 1.7976931348623157e308;
  if (!finite) return false;
  for (Word i = 0; i < n; ++i) {
    const double code = std::floor(reals[i] / scale + 0.5) + zero;
    const double above = code < low ? low : code;
    codes[i] = static_cast<Code>(above > high ? high : above);
  }
  return true;
}

template <typename In, typename Out>
void enter(Frame& frame, const Entrance& e) {
  const In* x = reinterpret_cast<const In*>(frame.input) + frame.index * e.pixels * e.channels;
  Out* y = frame.at<Out>(e.y.offset);
  const Word next = e.channels_first ? 1 : e.channels;
  for (Word c = 0; c < e.channels; ++c) {
    const In* from = x + c * (e.channels_first ? e.pixels : 1);
    Out* to = y + c;
    if constexpr (std::is_floating_point_v<In>) {
      std::conditional_t<sizeof(Out) <= 4, int32_t, int64_t> codes[kChunk];
      const double scale = frame.constant<double>(e.scale)[e.period == 1 ? 0 : c];
      for (Word first = 0; first < e.pixels; first += kChunk) {
        const Word n = std::min(kChunk, e.pixels - first);
        if (!quantize(from + first * next, n, next, scale, e, codes)) {
          frame.finite = false;
          return;
        }
        for (Word i = 0; i < n; ++i) to[(first + i) * e.channels] = static_cast<Out>(codes[i]);
      }
    } else {
      for (Word i = 0; i < e.pixels; ++i) to[i * e.channels] = static_cast<Out>(from[i * next]);
    }
  }
}

void entrance(Frame& frame, const Entrance& e) {
  with(e.y.kind, [&](auto out) {
    using Out = decltype(out);
    switch (e.element) {
      case kInt8: return enter<int8_t, Out>(frame, e);
      case kInt16: return enter<int16_t, Out>(frame, e);
      case kInt32: return enter<int32_t, Out>(frame, e);
      case kInt64: return enter<int64_t, Out>(frame, e);
      case kFloat32: return enter<float, Out>(frame, e);
      default: return enter<double, Out>(frame, e);
    }
  });
}

// Codes as integers of some width, or as the reals (x - zero) * scale.
struct Exit {
  Place x;
  Word size, output, element;
  Word scale, period, zero_point;  // of reals
};

void leave(const Frame& frame, const Exit& e) {
  with(e.x.kind, [&](auto in) {
    const auto* x = frame.at<decltype(in)>(e.x.offset);
    const auto codes = [&](auto* all) {
      auto* y = all + frame.index * e.size;
      for (Word i = 0; i < e.size; ++i) y[i] = static_cast<std::decay_t<decltype(*y)>>(x[i]);
    };
    uint8_t* all = frame.outputs[e.output];
    switch (e.element) {
      case kInt8: return codes(reinterpret_cast<int8_t*>(all));
      case kInt16: return codes(reinterpret_cast<int16_t*>(all));
      case kInt32: return codes(reinterpret_cast<int32_t*>(all));
      case kInt64: return codes(reinterpret_cast<int64_t*>(all));
      default: break;
    }
    const double* scale = frame.constant<double>(e.scale);
    double* y = reinterpret_cast<double*>(all) + frame.index * e.size;
    for (Word i = 0; i < e.size; ++i)
      y[i] = (static_cast<double>(x[i]) - static_cast<double>(e.zero_point)) * scale[i % e.period];
  });
}

}  // namespace
