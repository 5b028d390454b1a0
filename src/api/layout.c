/* layout.c - the layouts that programs built elsewhere rely on, checked when this compiles.
 *
 * SPDX-License-Identifier: MIT
 */
#include "demi/ext.h"
#include <assert.h>
#include <stddef.h>

static_assert(sizeof(demi_qtoken_t) == 8, "demi_qtoken_t");
static_assert(sizeof(demi_sgaseg_t) == 12, "demi_sgaseg_t");
static_assert(sizeof(demi_sgarray_t) == 40, "demi_sgarray_t");
static_assert(offsetof(demi_sgarray_t, sga_numsegs) == 8, "sga_numsegs");
static_assert(offsetof(demi_sgarray_t, sga_segs) == 12, "sga_segs");
static_assert(offsetof(demi_sgarray_t, sga_addr) == 24, "sga_addr");
static_assert(sizeof(demi_accept_result_t) == 20, "demi_accept_result_t");
static_assert(sizeof(demi_qresult_t) == 64, "demi_qresult_t");
static_assert(offsetof(demi_qresult_t, qr_qd) == 4, "qr_qd");
static_assert(offsetof(demi_qresult_t, qr_qt) == 8, "qr_qt");
static_assert(offsetof(demi_qresult_t, qr_ret) == 16, "qr_ret");
static_assert(offsetof(demi_qresult_t, qr_value) == 24, "qr_value");
static_assert(sizeof(struct demi_args) == 20, "struct demi_args");
static_assert(DEMI_OPC_FAILED == 6, "enum demi_opcode");
