import { command } from './command/command.ts';
import { dotnet8 } from './dotnet8.ts';
import { gcc13 } from './gcc13.ts';
import { ghc96 } from './ghc96.ts';
import type { Kind } from './kind.ts';
import { nodejs20 } from './node/nodejs20.ts';
import { python311 } from './python/python311.ts';
import { pythonCode } from './python/pythonCode.ts';
import { pythonFunction } from './python/pythonFunction.ts';
import { rustStable } from './rustStable.ts';
import { scala3 } from './scala3.ts';

export const builtInKinds: readonly Kind[] = [
  python311,
  nodejs20,
  rustStable,
  gcc13,
  dotnet8,
  scala3,
  ghc96,
  command,
  pythonFunction,
  pythonCode,
];
