#!/bin/sh
# Runs all scripts of this folder: run.sh DEMI
# SPDX-License-Identifier: MIT
exec "$1" pkt "$(dirname "$0")"/*.pkt
