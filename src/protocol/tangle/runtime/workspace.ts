/** Where the disk of a sandbox is inside (`host/instances` puts it there): relative paths begin here, and only this is saved. */
export const WORKSPACE = '/workspace';
