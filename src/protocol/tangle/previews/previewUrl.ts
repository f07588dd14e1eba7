import type { Preview } from './openPreviews.ts';

export const previewUrl = (origin: string, { sandbox, id }: Preview): string =>
  `${origin}/preview/${sandbox}/${id}/`;
