// SPDX-License-Identifier: Apache-2.0
//
// The bench of engines: a memory behind the AXI4 port, frames put into it one after the other, and
// the cycle of every instruction's end.
//
//   bench MEMORY FRAMES OUTPUT frames in_byte in_bytes out_byte out_bytes
//         read_latency read_gap write_gap write_latency limit [TRACE]
//
// MEMORY holds the memory before the first frame, FRAMES what is put at in_byte for each. OUTPUT
// gets, for each frame, out_bytes from out_byte on, the number of pulses of each of the four units
// (int64) and their cycles (int64), counted from the cycle of `start`. Addresses are taken at once. A
// burst's first beat comes read_latency cycles after its address at the earliest, beats of reads
// read_gap cycles apart, those of writes write_gap, and a burst is acknowledged write_latency cycles
// after its last beat. When no unit finishes anything for `limit` cycles the run ends with status 3.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vdesign.h"
#include "verilated.h"
#if DESIGN_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

constexpr int64_t kBeatBytes = DESIGN_BEAT_BYTES;

struct Burst {
  int64_t byte;
  int64_t beats;
  int64_t cycle;
};

template <typename Port>
uint8_t* bytes_of(Port& port) {
  return reinterpret_cast<uint8_t*>(&port);
}

std::vector<uint8_t> read_file(const char* name) {
  std::FILE* file = std::fopen(name, "rb");
  if (!file) std::exit(2);
  std::fseek(file, 0, SEEK_END);
  std::vector<uint8_t> data(std::ftell(file));
  std::rewind(file);
  if (std::fread(data.data(), 1, data.size(), file) != data.size()) std::exit(2);
  std::fclose(file);
  return data;
}

void write(std::FILE* file, const void* data, size_t size) {
  if (std::fwrite(data, 1, size, file) != size) std::exit(4);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 14) return 2;
  std::vector<uint8_t> memory = read_file(argv[1]);
  const std::vector<uint8_t> frames = read_file(argv[2]);
  std::FILE* output = std::fopen(argv[3], "wb");
  if (!output) return 4;
  const int64_t count = std::atoll(argv[4]);
  const int64_t in_byte = std::atoll(argv[5]), in_bytes = std::atoll(argv[6]);
  const int64_t out_byte = std::atoll(argv[7]), out_bytes = std::atoll(argv[8]);
  const int64_t read_latency = std::atoll(argv[9]), read_gap = std::atoll(argv[10]);
  const int64_t write_gap = std::atoll(argv[11]), write_latency = std::atoll(argv[12]);
  const int64_t limit = std::atoll(argv[13]);
  const int64_t size = static_cast<int64_t>(memory.size());

  VerilatedContext context;
  Vdesign design{&context};
#if DESIGN_TRACE
  VerilatedVcdC trace;
  context.traceEverOn(true);
  design.trace(&trace, 99);
  trace.open(argv[14]);
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
  design.start = 0;
  design.m_axi_arready = 1;
  design.m_axi_awready = 1;
  design.m_axi_rvalid = 0;
  design.m_axi_wready = 0;
  design.m_axi_bvalid = 0;
  for (int i = 0; i < 4; ++i) {
    edge(0);
    edge(1);
  }
  design.aresetn = 1;

  for (int64_t frame = 0; frame < count; ++frame) {
    std::memcpy(&memory[in_byte], &frames[frame * in_bytes], in_bytes);
    std::deque<Burst> reads, writes;
    std::deque<int64_t> acknowledgements;
    std::vector<int64_t> pulses[4];
    int64_t next_read = 0, next_write = 0, quiet = 0;
    for (int64_t cycle = 0;; ++cycle) {
      design.start = cycle == 0;
      const bool read = !reads.empty() && cycle >= next_read && cycle >= reads.front().cycle;
      design.m_axi_rvalid = read;
      if (read) {
        if (reads.front().byte + kBeatBytes > size) return 5;
        std::memcpy(bytes_of(design.m_axi_rdata), &memory[reads.front().byte], kBeatBytes);
        design.m_axi_rlast = reads.front().beats == 1;
      }
      design.m_axi_wready = cycle >= next_write;
      const bool acknowledge = !acknowledgements.empty() && cycle >= acknowledgements.front();
      design.m_axi_bvalid = acknowledge;
      edge(0);
      if (cycle > 2 && design.idle) break;
      ++quiet;
      for (int unit = 0; unit < 4; ++unit) {
        if (design.done >> unit & 1) {
          pulses[unit].push_back(cycle);
          quiet = 0;
        }
      }
      if (quiet > limit) return 3;
      if (read && design.m_axi_rready) {
        next_read = cycle + read_gap;
        reads.front().byte += kBeatBytes;
        if (--reads.front().beats == 0) reads.pop_front();
      }
      if (design.m_axi_arvalid) {
        reads.push_back({static_cast<int64_t>(design.m_axi_araddr), design.m_axi_arlen + 1,
                         cycle + read_latency});
      }
      if (design.m_axi_awvalid) {
        writes.push_back({static_cast<int64_t>(design.m_axi_awaddr), design.m_axi_awlen + 1, 0});
      }
      if (acknowledge && design.m_axi_bready) acknowledgements.pop_front();
      if (design.m_axi_wvalid && design.m_axi_wready) {
        if (writes.empty() || writes.front().byte + kBeatBytes > size) return 5;
        next_write = cycle + write_gap;
        std::memcpy(&memory[writes.front().byte], bytes_of(design.m_axi_wdata), kBeatBytes);
        writes.front().byte += kBeatBytes;
        const bool last = --writes.front().beats == 0;
        if (last != static_cast<bool>(design.m_axi_wlast)) return 6;
        if (last) {
          writes.pop_front();
          acknowledgements.push_back(cycle + write_latency);
        }
      }
      edge(1);
    }
    edge(1);
    write(output, &memory[out_byte], out_bytes);
    for (const auto& unit : pulses) {
      const int64_t number = static_cast<int64_t>(unit.size());
      write(output, &number, sizeof number);
    }
    for (const auto& unit : pulses) write(output, unit.data(), unit.size() * sizeof(int64_t));
    std::printf("%lld\n", static_cast<long long>(frame + 1));
    std::fflush(stdout);
  }
#if DESIGN_TRACE
  trace.close();
#endif
  return std::fclose(output) == 0 ? 0 : 4;
}
