import { compiled } from './compiled.ts';

export const gcc13 = compiled({
  id: 'gcc13',
  aliases: ['cpp-gcc13'],
  displayName: 'C and C++ (GCC 13)',
  description: 'A program built by GCC 13.',
  status: 'stable',
  footprint: '3 MB in the image (libstdc++), what the program takes at rest',
  source: ['src/bot/kinds/gcc13.ts', 'src/bot/kinds/compiled.ts'],
});
