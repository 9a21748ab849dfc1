import { type Shell } from '../../shell'

/** WeChat's own scan, then back to the page that asked for it. */
Page({
  onLoad() {
    wx.scanCode({
      scanType: ['qrCode'],
      success: ({ result }) => { getApp<Shell>().scanned = result },
      complete: () => wx.navigateBack(),
    })
  },
})
