# SPDX-License-Identifier: Apache-2.0
"""What becomes of the figures: a record, a page, a plot."""
