// The pages that are open, the first at the bottom.
export const stack = {
  pages: [],
  top() {
    return stack.pages[stack.pages.length - 1] || null
  },
  /** What getCurrentPages() gives: the page instances. */
  instances() {
    return stack.pages.map((p) => p.instance)
  },
}
