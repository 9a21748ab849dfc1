/** The sheets that are open, the topmost last: the way back closes one before it leaves the page. */
export const openSheets: (() => void)[] = []
