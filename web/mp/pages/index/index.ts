import { SITE, type Shell } from '../../shell'

/** The page at /m/, signed in by a one-time ticket: the login code itself never stands in an address. */
Page({
  data: { src: '', failed: false },
  onLoad() { this.open() },
  open() {
    this.setData({ failed: false })
    wx.login({
      success: ({ code }) => wx.request<{ ticket?: string }>({
        url: `${SITE}/api/v1/auth/wechat-tickets`,
        method: 'POST',
        data: { code },
        // Without a ticket the page opens too: one can sign in there by SMS.
        success: ({ data }) => this.setData({ src: data.ticket ? `${SITE}/m/#ticket=${data.ticket}` : `${SITE}/m/` }),
        fail: () => this.setData({ failed: true }),
      }),
      fail: () => this.setData({ src: `${SITE}/m/` }),
    })
  },
  /** Back from the native scan: the page takes the text from behind the #, which no server sees. */
  onShow() {
    const shell = getApp<Shell>()
    if (shell.scanned) this.setData({ src: `${SITE}/m/verify#scan=${encodeURIComponent(shell.scanned)}&at=${Date.now()}` })
    shell.scanned = ''
  },
})
