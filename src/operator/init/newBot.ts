import type { Example } from './readExamples.ts';

/** The files of a new bot, called `name`, that begins as a sample. */
export function newBot(sample: Example, name: string): Example {
  const { 'bot.yaml': settings = '', '.gitignore': made = '', ...files } = sample;
  return {
    'bot.yaml': settings.replace(/^name: .*$/m, `name: ${JSON.stringify(name)}`),
    ...files,
    'README.md': readme(sample, name),
    '.gitignore': `.runtime/\n${made}`,
  };
}

function readme(sample: Example, name: string): string {
  const build = sample.build?.match(/^# (Makes .*)$/m)?.[1];
  const config = sample['config.json'] === undefined ? '' : ', `config.json` is its configuration';
  const isAgent = /^ {2}message:/m.test(sample['bot.yaml'] ?? '');
  const ask = isAgent
    ? 'runtime ask . "hello"              # talk to it while it runs'
    : 'runtime execute . --query /status   # ask it';
  const until = /^type: realtime$/m.test(sample['bot.yaml'] ?? '') ? ', until Ctrl-C' : '';
  return `# ${name}
${build === undefined ? '' : `\n    ./build                             # ${build.charAt(0).toLowerCase()}${build.slice(1)}`}
    runtime execute .                   # run it${until}: each run continues from the state of the one before
    ${ask}

\`bot.yaml\` says what it is${config}. What it keeps goes into \`$STATE_DIR\`. State, logs and the store of a local run
lie in \`.runtime/\`.
`;
}
