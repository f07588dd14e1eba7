import type { RuntimeError } from '../errors.ts';
import type { Command, CommandGroup } from './command.ts';

/** What people are told about a command line: help, and what is wrong with it. */
export interface Explain {
  groupHelp(group: CommandGroup, path: readonly string[]): string;
  commandHelp(command: Command, path: readonly string[]): string;
  unknownCommand(name: string, group: CommandGroup, path: readonly string[]): RuntimeError;
  wrongFlag(command: Command, path: readonly string[], argv: readonly string[], error: Error): RuntimeError;
  wrongPositionals(
    command: Command,
    path: readonly string[],
    given: readonly string[],
    atMost: number,
  ): RuntimeError;
}

/** Thrown, before anything has happened, by a program that explains nothing: another program takes the command line over. */
export class HandOver extends Error {
  override readonly name = 'HandOver';
}
