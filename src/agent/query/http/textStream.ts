/** Text as bytes, made only when the reader asks for more: nothing piles up for a slow one. */
export function textStream(
  open: (signal: AbortSignal) => AsyncGenerator<string, void, void>,
  closing: AbortSignal,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const source = open(AbortSignal.any([closing, gone.signal]));
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await source.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel() {
        gone.abort();
      },
    },
    { highWaterMark: 0 },
  );
}
