/**
 * What every process of the executable starts from. Node runs this file while the executable is built, lets what it leaves to do come to
 * its end, and keeps the heap: V8's start-up snapshot. In the product only the function runs that is given to Node here.
 *
 * The lives of bots that are led meanwhile leave behind the modules of a start, ours and Node's own, with their functions compiled. No
 * process, connection or timer may be left of them: those would be dead in each process that starts from here.
 */
import './nameSignals.ts';
import { startupSnapshot } from 'node:v8';
import { start } from '../../src/main.ts';
import { cacheParts } from './cacheParts.ts';
import { leadLives } from './leadLives.ts';
import { loadLater } from './loadLater.ts';

startupSnapshot.setDeserializeMainFunction(() => {
  const [, , word, folder] = process.argv;
  if (word === 'cache-parts' && folder !== undefined) void cacheParts(folder);
  else if (word === 'load-later') loadLater();
  else start();
});

void leadLives();
