// SPDX-License-Identifier: Apache-2.0
//
// The shared bench: streams beats through a design and records when each one passes.
//
//   bench INPUT OUTPUT in_beats out_beats frame_beats seed stall_in stall_out limit [TRACE]
//
// INPUT holds the beats that go in, DESIGN_IN_WORDS 32-bit words each. OUTPUT gets the beats that
// came out (DESIGN_OUT_WORDS words each), then the cycle of every beat taken and of every beat
// given (int64, counted from the end of reset), then a byte a beat with its last mark. A line on
// standard output tells each finished frame. Stalls are chances in 256 of each cycle. When nothing
// comes out for `limit` cycles the run ends; beats that never passed have cycle -1.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "Vdesign.h"
#include "verilated.h"
#if DESIGN_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

template <typename Port>
void put(Port& port, const uint32_t* words) {
  uint64_t value = words[0];
  if (DESIGN_IN_WORDS > 1) value |= static_cast<uint64_t>(words[1]) << 32;
  port = static_cast<Port>(value);
}

template <std::size_t Words>
void put(VlWide<Words>& port, const uint32_t* words) {
  for (std::size_t i = 0; i < Words; ++i) port[i] = words[i];
}

template <typename Port>
void get(const Port& port, uint32_t* words) {
  const uint64_t value = port;
  words[0] = static_cast<uint32_t>(value);
  if (DESIGN_OUT_WORDS > 1) words[1] = static_cast<uint32_t>(value >> 32);
}

template <std::size_t Words>
void get(const VlWide<Words>& port, uint32_t* words) {
  for (std::size_t i = 0; i < DESIGN_OUT_WORDS; ++i) words[i] = port[i];
}

// True in about `per_256` of 256 calls; xorshift64 after Marsaglia, "Xorshift RNGs", 2003.
bool chance(uint64_t& state, uint32_t per_256) {
  if (per_256 == 0) return false;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return ((state >> 32) & 255) < per_256;
}

template <typename Item>
void write(std::FILE* file, const std::vector<Item>& items) {
  if (std::fwrite(items.data(), sizeof(Item), items.size(), file) != items.size()) std::exit(4);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 10) return 2;
  const int64_t in_beats = std::atoll(argv[3]);
  const int64_t out_beats = std::atoll(argv[4]);
  const int64_t frame_beats = std::atoll(argv[5]);
  uint64_t random = std::strtoull(argv[6], nullptr, 10) * 0x9E3779B97F4A7C15ull + 1;
  const uint32_t stall_in = std::atoi(argv[7]);
  const uint32_t stall_out = std::atoi(argv[8]);
  const int64_t limit = std::atoll(argv[9]);

  std::vector<uint32_t> input(in_beats * DESIGN_IN_WORDS);
  std::FILE* file = std::fopen(argv[1], "rb");
  if (!file || std::fread(input.data(), 4, input.size(), file) != input.size()) return 2;
  std::fclose(file);
  std::vector<uint32_t> output(out_beats * DESIGN_OUT_WORDS);
  std::vector<int64_t> in_time(in_beats, -1), out_time(out_beats, -1);
  std::vector<uint8_t> last(out_beats);

  VerilatedContext context;
  Vdesign design{&context};
#if DESIGN_TRACE
  VerilatedVcdC trace;
  context.traceEverOn(true);
  design.trace(&trace, 99);
  trace.open(argv[10]);
#endif
  const auto edge = [&](int level) {
    design.aclk = level;
    design.eval();
#if DESIGN_TRACE
    trace.dump(context.time());
#endif
    context.timeInc(1);
  };

  design.aresetn = 0;
  design.s_axis_tvalid = 0;
  design.m_axis_tready = 0;
  for (int i = 0; i < 4; ++i) {
    edge(0);
    edge(1);
  }
  design.aresetn = 1;

  int64_t sent = 0, got = 0, cycle = 0, quiet = 0;
  bool valid = false;
  while (got < out_beats && quiet < limit) {
    if (sent < in_beats) {
      valid = valid || !chance(random, stall_in);  // AXI: once valid, valid until taken
      put(design.s_axis_tdata, &input[sent * DESIGN_IN_WORDS]);
    }
    design.s_axis_tvalid = valid;
    design.m_axis_tready = !chance(random, stall_out);
    edge(0);
    ++quiet;
    if (design.m_axis_tvalid && design.m_axis_tready) {
      get(design.m_axis_tdata, &output[got * DESIGN_OUT_WORDS]);
      last[got] = design.m_axis_tlast;
      out_time[got++] = cycle;
      quiet = 0;
      if (got % frame_beats == 0) {
        std::printf("%lld\n", static_cast<long long>(got / frame_beats));
        std::fflush(stdout);
      }
    }
    if (valid && design.s_axis_tready) {
      in_time[sent++] = cycle;
      valid = false;
    }
    edge(1);
    ++cycle;
  }
#if DESIGN_TRACE
  trace.close();
#endif
  file = std::fopen(argv[2], "wb");
  if (!file) return 4;
  write(file, output);
  write(file, in_time);
  write(file, out_time);
  write(file, last);
  if (std::fclose(file) != 0) return 4;
  return 0;
}
