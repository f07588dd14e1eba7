/** A program in another language, imported `with { type: 'text' }`. */
declare module '*.py' {
  const text: string;
  export default text;
}
declare module '*.cjs' {
  const text: string;
  export default text;
}
