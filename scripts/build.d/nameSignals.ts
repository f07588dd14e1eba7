import { nameRealTimeSignals } from '../../src/base/signals.ts';

// The table closes when `node:os` is loaded, and stays so in each process that starts from the snapshot.
nameRealTimeSignals();
