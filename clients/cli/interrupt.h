/* Remembers that the user asked to stop (Ctrl-C, SIGTERM, SIGHUP), so that a command can end in order:
 * partial results printed, the private daemon stopped. Process-wide, as signals are. */
#ifndef HOMER_CLI_INTERRUPT_H
#define HOMER_CLI_INTERRUPT_H

/* From here on the first such signal is only remembered; the second one ends the process. */
void homer_interrupt_watch(void);
/* The signal that came, 0 = none. */
int homer_interrupted(void);

#endif
