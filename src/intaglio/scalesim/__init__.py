# SPDX-License-Identifier: Apache-2.0
"""What SCALE-Sim 3.0.0 says of a network on a systolic array, number for number, and why.

`config` and `topology` read the tool's files; `dataflow` lays a layer on the array; `compute` is
what follows from that alone. `reads_calc`, `reads_user` and `writes` are the memories, `clock` what
they make the array wait for, `layer_run` puts a layer's numbers together, `report` and `traces`
print them. Where the tool is known to be wrong it is followed; its issues are named.
"""

from intaglio.scalesim.config import Config, read_config
from intaglio.scalesim.report import Row
from intaglio.scalesim.simulation import ScaleSimReport, scalesim
from intaglio.scalesim.topology import Layer, read_topology

__all__ = ["Config", "Layer", "Row", "ScaleSimReport", "read_config", "read_topology", "scalesim"]
