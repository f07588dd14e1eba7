/** 32 and 33 are the C library's own. */
const REAL_TIME = Array.from({ length: 31 }, (_, index) => `SIG${34 + index}`);

/** What a terminal stops its jobs with; below one they are left to the system. */
const JOB_CONTROL = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'];

/**
 * Signals that end a process, or stop it for good, where nobody listens, and are not an order to end. Those of a crash (SIGSEGV,
 * SIGBUS, SIGILL, SIGFPE, SIGTRAP) are not among them: who survives one runs into it again, for ever.
 */
export function accidentalSignals(onTerminal: boolean): readonly NodeJS.Signals[] {
  return [
    'SIGHUP',
    'SIGQUIT',
    'SIGABRT',
    'SIGUSR1',
    'SIGUSR2',
    'SIGALRM',
    'SIGSTKFLT',
    'SIGXCPU',
    'SIGXFSZ',
    'SIGVTALRM',
    'SIGPROF',
    'SIGIO',
    'SIGPWR',
    'SIGSYS',
    ...(onTerminal ? [] : JOB_CONTROL),
    ...REAL_TIME,
  ] as NodeJS.Signals[];
}

/**
 * Makes the real-time signals known to Node, as `SIG34` to `SIG64`: what its table lacks can be neither listened to nor sent. To
 * be called before `node:os` is loaded, which closes the table; after that it does nothing.
 */
export function nameRealTimeSignals(): void {
  const { signals } = (process as unknown as Bindings).binding('constants').os;
  if (!Object.isExtensible(signals)) return;
  for (const name of REAL_TIME) {
    Object.defineProperty(signals, name, { value: Number(name.slice(3)), enumerable: true });
  }
}

interface Bindings {
  binding(name: 'constants'): { readonly os: { readonly signals: object } };
}
