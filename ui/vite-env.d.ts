/** A stylesheet as text: a shadow root adopts it, and the page's content security policy allows that. */
declare module '*.css?inline' {
  const css: string;
  export default css;
}
