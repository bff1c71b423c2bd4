# SPDX-License-Identifier: Apache-2.0
"""Drive a module without streams: vectors in, cycle by cycle, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from intaglio.hw import library
from tests.benches import run_bench

BENCH = """\
module bench;
  logic clk;
  logic [{last_in}:0] in, vectors [{cycles}];
  logic [{last_out}:0] out;

  {module} #({parameters}) u_module (
    .clk_i(clk),
{ports}
  );

  initial begin
    $readmemh("vectors.hex", vectors);
    clk = 1'b0;
    for (int i = 0; i < {cycles}; i++) begin
      in = vectors[i];
      #5 clk = 1'b1;
      #5 clk = 1'b0;
      $display("%h", out);
    end
    $finish;
  end
endmodule
"""


def drive(
    module: str,
    blocks: Sequence[str],
    parameters: Mapping[str, int],
    inputs: Mapping[str, tuple[int, Sequence[int]]],
    output: tuple[str, int],
    folder: Path,
    runtime: Path,
) -> list[int]:
    """Return the output after each edge, as unsigned numbers.

    Args:
        module: what to drive.
        blocks: library modules it is made of, itself included.
        parameters: its parameters.
        inputs: for each port its width and its value in each cycle.
        output: the port to look at, and its width.
        folder: where to work.
        runtime: the folder of Verilator's own compiled parts.
    """
    words, low, ports = [0] * len(next(iter(inputs.values()))[1]), 0, []
    for name, (width, values) in inputs.items():
        ports.append(f"    .{name}(in[{low} +: {width}])")
        words = [
            word | (int(value) & ((1 << width) - 1)) << low
            for word, value in zip(words, values, strict=True)
        ]
        low += width
    ports.append(f"    .{output[0]}(out)")
    (folder / "vectors.hex").write_text("".join(f"{word:x}\n" for word in words))
    bench = BENCH.format(
        module=module,
        parameters=", ".join(f".{name}({value})" for name, value in parameters.items()),
        ports=",\n".join(ports),
        last_in=low - 1,
        last_out=output[1] - 1,
        cycles=len(words),
    )
    (folder / "bench.sv").write_text(bench)
    sources = [*(str(library.source(block, "none")) for block in blocks), "bench.sv"]
    found = run_bench(folder, sources, "bench", folder / "work", runtime)
    assert found.returncode == 0, found.stdout + found.stderr
    lines = [line for line in found.stdout.splitlines() if not line.startswith("-")]
    return [int(line, 16) for line in lines]


def lanes_of(word: int, lanes: int, width: int, *, signed: bool = False) -> list[int]:
    """Take a word apart, lane 0 first."""
    mask, sign = (1 << width) - 1, (1 << (width - 1)) if signed else 0
    return [((word >> i * width & mask) ^ sign) - sign for i in range(lanes)]


def word_of(values: Sequence[int] | np.ndarray, width: int) -> int:
    """Put lanes together, lane 0 lowest."""
    return sum((int(v) & ((1 << width) - 1)) << i * width for i, v in enumerate(values))
