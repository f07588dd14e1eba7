/** `node:sea` in the snapshot: while that is made there is no executable yet, and the assets are files. */
import { readFileSync } from 'node:fs';
import { startupSnapshot } from 'node:v8';

const sea = process.getBuiltinModule('node:sea');
const isBuilt = () => !startupSnapshot.isBuildingSnapshot();

export const isSea = (): boolean => isBuilt() && sea.isSea();

export const getAssetKeys = (): string[] => sea.getAssetKeys();

export const getAsset = (key: string, encoding: 'latin1'): string =>
  isBuilt()
    ? sea.getAsset(key, encoding)
    : readFileSync(`${process.env.RUNTIME_BUILD_PARTS}/${key}`, encoding);

/** While the snapshot is made no cache fits. */
export const getRawAsset = (key: string): ArrayBuffer =>
  isBuilt() ? sea.getRawAsset(key) : new ArrayBuffer(4);
