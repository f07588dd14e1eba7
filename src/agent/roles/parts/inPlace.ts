/** What only people need who run a bot in its directory. A part: no container loads it. */
export { tellEnd } from '../inPlace/narrate.ts';
export { prepareInPlace } from '../inPlace/prepareInPlace.ts';
export { readSources } from '../inPlace/readSources.ts';
export { warnBotAnswers } from '../inPlace/warnBotAnswers.ts';
