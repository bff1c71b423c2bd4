# SPDX-License-Identifier: Apache-2.0
"""The conformance suite against plug-ins that do not conform."""
