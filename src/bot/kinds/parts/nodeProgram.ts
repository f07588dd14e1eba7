import bootstrap from '../node/bootstrap.cjs' with { type: 'text' };
import launcher from '../node/launcher.cjs' with { type: 'text' };

/** What `node -e` runs: it reads the program from file descriptor 3. `ps` shows it, so it has neither comments nor line breaks. */
export const nodeBootstrap = bootstrap
  .replace(/^\/\*\*.*?\*\//s, '')
  .replace(/^\/\/.*$/gm, '')
  .trim()
  .replaceAll(/\n\s*/g, ' ');

/** Stack traces show it under its name. */
export const nodeProgram = `${launcher}//# sourceURL=runtime:launcher`;
