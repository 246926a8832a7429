# SPDX-License-Identifier: Apache-2.0
"""The virtual machine rig: real Debian kernels, one small Debian userland, jobs in, results out."""
