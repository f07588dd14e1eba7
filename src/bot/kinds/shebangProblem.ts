import { resolve } from 'node:path';
import { interpreterProblem } from './interpreterProblem.ts';

/** The kernel reads no further than this; bytes. */
const LONGEST = 255;

/**
 * Why the system cannot run a script that begins with `text`, which begins with "#!". `cwd`: where it is run, and where the kernel looks
 * for an interpreter that is not named by an absolute path.
 */
export function shebangProblem(text: string, cwd: string): string | undefined {
  const [first = ''] = text.split('\n', 1);
  // To the kernel it is a part of the word before it; of the interpreters' options these refuse one that ends with it.
  if (/^#![ \t]*((\S*\/env[ \t]+)?\S+|\S*(\/env|sh|python[\d.]*)[ \t].*)\r$/.test(first)) {
    return 'Its first line ends with a carriage return: save it with LF line ends, not CR LF.';
  }
  const [, before = '', interpreter = ''] = /^(#![ \t]*)([^ \t\0]*)/.exec(first) ?? [];
  if (interpreter.trim() === '')
    return 'Its first line, "#!", names no interpreter. Write #!/bin/sh, for example.';
  if (Buffer.byteLength(before + interpreter) > LONGEST) {
    return `Its first line is longer than the ${LONGEST} bytes of it that the system reads: give the interpreter a shorter path.`;
  }
  const problem = interpreterProblem('Its first line names an interpreter', resolve(cwd, interpreter));
  if (problem === undefined || interpreter.includes('/')) return problem;
  return `Its first line names the interpreter ${interpreter} without its path: write #!/usr/bin/env ${interpreter}`;
}
