/** A user and a group, as the kernel numbers them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}
