import { expect, test } from 'vitest';
import { createWellFormed } from '../../../../src/agent/turns/wellFormed.ts';
import { openModel, text } from './turnModel.ts';

const delta = (said: string) => ({ type: 'delta', text: said }) as const;

test('a text that is cut anywhere is told in whole characters, and as a whole', () => {
  const said = 'a😀é漢👩‍🚀z';
  for (let size = 1; size <= 4; size += 1) {
    const characters = createWellFormed();
    const told: string[] = [];
    for (let at = 0; at < said.length; at += size) {
      const event = characters.take(delta(said.slice(at, at + size)));
      if (event?.type === 'delta') told.push(event.text);
    }
    expect(told.join('')).toBe(said);
    expect(told.every((piece) => piece !== '' && piece.isWellFormed())).toBe(true);
    expect(characters.rest()).toEqual([]);
  }
});

test('a half that stays alone becomes U+FFFD, and what is said aside does not come between two halves', () => {
  const characters = createWellFormed();
  expect(characters.take(delta('\ud83d'))).toBeUndefined();
  expect(characters.take({ type: 'thought', text: 'hm\ud83d' })).toEqual({ type: 'thought', text: 'hm' });
  expect(characters.take({ type: 'tool', id: '\ud83d', name: 'n', status: '\ude00' })).toEqual({
    type: 'tool',
    id: '\ufffd',
    name: 'n',
    status: '\ufffd',
  });
  expect(characters.take(delta('\ude00 \ude00 x\ud83d'))).toEqual(delta('😀 \ufffd x'));
  expect(characters.rest()).toEqual([delta('\ufffd'), { type: 'thought', text: '\ufffd' }]);
});

test('a turn tells no halves, and its deltas joined are its reply', async () => {
  const model = await openModel();
  const asked = { conversation: 'a', message: text('x'), metadata: {}, keyed: undefined };
  const { record } = model.turns.submit(asked, () => undefined);
  for (const piece of ['ok \ud83d', '\ude00', '', '\ud83d']) model.sent[0]!.tell(delta(piece));
  model.sent[0]!.end();
  await model.turns.whenEnded(record, new AbortController().signal);
  const told = record.log.items.map((_, index) => record.log.event(index).data.text);
  expect(told).toEqual(['ok ', '😀', '\ufffd']);
  expect(record.log.reply).toBe('ok 😀\ufffd');
});
