/* demi/cc.h - what the other headers need of the compiler: C99 and C++11 both read them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEMI_CC_H
#define DEMI_CC_H

#ifdef __cplusplus
#define DEMI_BEGIN_DECLS extern "C" {
#define DEMI_END_DECLS   }
#else
#define DEMI_BEGIN_DECLS
#define DEMI_END_DECLS
#endif

/* The layouts of the interface have no padding: programs built for other implementations of it
 * share these structures with the library byte for byte. */
#define DEMI_PACKED __attribute__((packed))

#endif
