/** Beginnings of what is taken for a program, latin1; the first that fits counts. */
const beginnings: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'It is empty. Build or copy it again.'],
  [
    /^\xef\xbb\xbf#!/,
    'It begins with a byte order mark: save it as UTF-8 without one, so that "#!" comes first.',
  ],
  [
    /^version https:\/\/git-lfs\./,
    'It is a pointer of Git LFS, not the file that is meant: git lfs pull fetches that.',
  ],
  [/^MZ/, 'It was built for Windows. Build it for Linux.'],
  // The last one with a count of architectures, where a Java class has its version.
  [
    /^(?:\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe\0\0\0[\0-\x20])/,
    'It was built for macOS. Build it for Linux.',
  ],
];

/** Why the system cannot run what begins as neither an ELF program nor a script. */
export function foreignProblem(head: Buffer): string {
  const text = head.toString('latin1', 0, 64);
  return (
    beginnings.find(([pattern]) => pattern.test(text))?.[1] ??
    'It is neither an ELF program nor a script beginning with "#!". Name the built program as the entrypoint.'
  );
}
