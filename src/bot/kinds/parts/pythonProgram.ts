import bootstrap from '../python/bootstrap.py' with { type: 'text' };
import callMain from '../python/call_main.py' with { type: 'text' };
import findMain from '../python/find_main.py' with { type: 'text' };
import launcher from '../python/launcher.py' with { type: 'text' };
import { linkPython } from '../python/linkPython.ts';
import task from '../python/task.py' with { type: 'text' };

/** What `python -c` runs: it reads the program from file descriptor 3. */
export const pythonBootstrap = bootstrap.trim().replaceAll('\n', ';');

/** Only agents have that part. */
export const pythonProgram = linkPython({
  task,
  call_main: callMain,
  find_main: findMain,
  agent: '',
  launcher,
});
