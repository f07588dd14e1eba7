/** What is read only where a person names a bot's directory. A part: no container loads it. */
export { botDirectory } from '../botDirectory.ts';
