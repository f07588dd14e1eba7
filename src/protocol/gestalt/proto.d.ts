/** Service definitions, imported `with { type: 'text' }`. */
declare module '*.proto' {
  const text: string;
  export default text;
}
