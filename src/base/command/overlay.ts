/** `base` with some members of its own. Not a spread: the base's getters stay what they are, and are read when they are needed. */
export function overlay<Base extends object, Own extends object>(
  base: Base,
  own: Own,
): Omit<Base, keyof Own> & Own {
  return Object.create(base, Object.getOwnPropertyDescriptors(own));
}
