import { compiled } from './compiled.ts';

export const ghc96 = compiled({
  id: 'ghc96',
  aliases: [],
  displayName: 'Haskell (GHC 9.6)',
  description: 'A program built by GHC 9.6.',
  status: 'stable',
  footprint: '1 MB in the image (libgmp, libffi), what the program takes at rest',
  source: ['src/bot/kinds/ghc96.ts', 'src/bot/kinds/compiled.ts'],
});
