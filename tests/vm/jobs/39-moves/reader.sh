#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One task that opens what it is told and says how that went: its own verdicts are kept, so each path is opened again and
# again by the same task. A path behind a + is opened to be written, and made.
while read -r path; do
	if [[ $path == +* ]]; then
		attempt() { : >"${path#+}"; }
	else
		attempt() { : <"$path"; }
	fi
	if { attempt; } 2>/tmp/complaint; then
		echo open
	else
		read -r complaint </tmp/complaint
		case $complaint in
		*"not permitted") echo refused ;;
		*) echo missing ;;
		esac
	fi
done
