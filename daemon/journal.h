/* What the engine accepts, as records of the log; and back, when a log is replayed.
 *
 * Log before anything changes: begin writes the record of a request into room that the log sets aside, which
 * is all that can fail; end makes it part of the log, which cannot. Without a store (no data folder, or while
 * replaying) both do nothing. Replaying is homer_engine_replay (engine.h). Loop thread only. */
#ifndef HOMER_DAEMON_JOURNAL_H
#define HOMER_DAEMON_JOURNAL_H

#include "daemon/record.h"
#include "daemon/verbs.h"

/* 0; -ENOMEM; HOMER_E_READ_ONLY or HOMER_E_BUSY with the reason in err. The strings of *rec are only read
 * now. */
int homer_journal_begin(struct homer_engine *e, const struct homer_record *rec, struct homer_error *err);
/* Writes down that a model was made: begin and end in one. */
int homer_journal_create(struct homer_engine *e, const struct homer_entry *entry, struct homer_error *err);
/* Writes down that a model has another configuration now, the same way. */
int homer_journal_config(struct homer_engine *e, const struct homer_entry *entry, struct homer_error *err);
/* The request was carried out: its record counts, and its reply waits for it as durability asks. */
void homer_journal_end(struct homer_engine *e);
/* The reply to the current line waits for all that was accepted so far, as durability asks. */
void homer_journal_wait(struct homer_engine *e);
/* Appends the field "durable": what the acknowledgement means. Nothing when nothing is kept. */
void homer_journal_promise(const struct homer_engine *e, struct homer_reply *r);

#endif
