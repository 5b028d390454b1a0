/* init.c - demi_init(), demi_set_log().
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include "base/log.h"
#include "demi/ext.h"

enum {
	/* Programs of 2023 call demi_init(argc, argv): what arrives as `args` is then a count of
	   arguments. */
	MAX_ARGC_OF_2023 = 65535,
};

DEMI_EXPORT int demi_init(const struct demi_args *args)
{
	demi_callback_t callback = NULL;

	log_start();
	if ((uintptr_t)args > MAX_ARGC_OF_2023)
		callback = args->callback;
	return -instance_create(callback);
}

DEMI_EXPORT void demi_set_log(demi_log_fn fn)
{
	log_set_sink(fn);
}
