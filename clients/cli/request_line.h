/* Turns a line of a stream, {"x":...,"y":[...]}, into a request line by putting fields in front. Pure. */
#ifndef HOMER_CLI_REQUEST_LINE_H
#define HOMER_CLI_REQUEST_LINE_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* Sets *out to the line with `fields` (JSON members without the braces, such as "\"op\":\"test\"") put behind
 * its '{'; the line's own members that the protocol knows, id included, follow as they are. Others (a
 * recorded stream may carry a title, a source) are left out: beside an op the daemon would refuse them.
 * `only` (NULL-ended; NULL: all that the protocol knows) names the members to take. Whether the line is JSON
 * is the daemon's to say. 0; -EINVAL when it does not begin with '{'; -ENOMEM. */
int homer_request_line(struct homer_buf *out, const char *fields, const char *const *only, const char *line,
                       size_t n, struct homer_error *err);

/* Appends the member "key":"text" as JSON, after a comma when something stands before it. 0; -EILSEQ when the
 * text is not UTF-8; -ENOMEM. */
int homer_request_member(struct homer_buf *out, const char *key, const char *text, struct homer_error *err);

#endif
