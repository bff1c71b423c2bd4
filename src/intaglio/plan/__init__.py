# SPDX-License-Identifier: Apache-2.0
"""Cloud money: what a job costs on machines whose prices change, and the least it can cost.

In the order of use: `history_files`, `aws`, `generator` and `availability` read or make prices,
`catalog` and `job` say what can be rented and what has to be done, `market` puts both on slots of
time; `optimum` and `bound` find the least cost, `simulate` and `policies` see what can be had of
it without knowing the future, and `elastic` runs a real training so.
"""
