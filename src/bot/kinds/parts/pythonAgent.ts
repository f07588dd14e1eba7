import agent from '../python/agent.py' with { type: 'text' };
import callMain from '../python/call_main.py' with { type: 'text' };
import findMain from '../python/find_main.py' with { type: 'text' };
import launcher from '../python/launcher.py' with { type: 'text' };
import { linkPython } from '../python/linkPython.ts';
import task from '../python/task.py' with { type: 'text' };

export const pythonAgentProgram = linkPython({
  task,
  call_main: callMain,
  find_main: findMain,
  agent,
  launcher,
});
