import { compiled } from './compiled.ts';

export const rustStable = compiled({
  id: 'rust-stable',
  aliases: [],
  displayName: 'Rust',
  description: 'A program built by stable Rust.',
  status: 'stable',
  footprint: 'nothing in the image, what the program takes at rest',
  source: ['src/bot/kinds/rustStable.ts', 'src/bot/kinds/compiled.ts'],
});
