/* One configuration value: checked and stored, or printed, as its key says. Private to daemon/config*.c. */
#ifndef HOMER_DAEMON_CONFIG_VALUE_H
#define HOMER_DAEMON_CONFIG_VALUE_H

#include <jansson.h>
#include "daemon/config.h"
#include "daemon/config_keys.h"
#include "proto/reply.h"

/* Stores v, or says in err what it is and what is allowed (`name` is how the key is called there), leaving *c
 * as it was. 0, HOMER_E_BAD_REQUEST or -ENOMEM. */
int homer_config_store(struct homer_config *c, const struct homer_config_key *key, const char *name,
                       const json_t *v, struct homer_error *err);
void homer_config_write(const struct homer_config *c, const struct homer_config_key *key, const char *name,
                        struct homer_reply *r);

#endif
