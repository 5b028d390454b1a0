#!/bin/sh
# Runs all scripts of this folder: run.sh DEMI
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2086 # the wrapper is words: see wrapped.sh
exec $DEMI_TEST_WRAPPER "$1" pkt "$(dirname "$0")"/*.pkt
