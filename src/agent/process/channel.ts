/** One end of Node's IPC channel, as Node has it: a child that was given one, or our own `process` where we are that child. */
export interface ChannelEnd {
  readonly connected?: boolean | undefined;
  send?(message: object, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** What two of our processes tell each other, seen from one of them (messages.ts says which messages there are). */
export interface Channel<Out> {
  /**
   * False: the other side is gone, and the message with it. `onItsWay` is called once it need not be waited for any more, sent
   * or lost.
   */
  send(message: Out, onItsWay?: () => void): boolean;
  /** Aborted when the other side is gone, however it went. */
  readonly closed: AbortSignal;
}

/** `receive` gets all messages in their order, from now on. Both sides are of one build, so what arrives is what was sent. */
export function openChannel<Out extends object, In extends object>(
  end: ChannelEnd,
  receive: (message: In) => void,
): Channel<Out> {
  const closed = new AbortController();
  end.on('message', (message) => receive(message as In));
  end.on('disconnect', () => closed.abort());
  // It may have gone while we were starting.
  if (!end.connected) closed.abort();
  return {
    closed: closed.signal,
    send: (message, onItsWay) => {
      if (!end.connected || !end.send) {
        onItsWay?.();
        return false;
      }
      // One that breaks while we write is told by `closed`.
      end.send(message, () => onItsWay?.());
      return true;
    },
  };
}
