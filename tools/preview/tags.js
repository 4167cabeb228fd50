'use strict'

/** Tags that WeChat provides and the preview draws. */
const BUILT_IN_TAGS = new Set([
  'view', 'text', 'image', 'scroll-view', 'input', 'textarea', 'button', 'switch', 'slider', 'picker', 'picker-view',
  'picker-view-column', 'swiper', 'swiper-item', 'rich-text', 'icon', 'progress', 'navigator', 'movable-area',
  'movable-view', 'root-portal', 'page-container', 'page-meta', 'navigation-bar', 'form', 'label', 'checkbox',
  'checkbox-group', 'radio', 'radio-group', 'cover-view', 'cover-image', 'match-media', 'share-element',
])

/** Tags of the template language itself. */
const LANGUAGE_TAGS = new Set(['block', 'slot', 'template', 'import', 'include', 'wxs'])

module.exports = { BUILT_IN_TAGS, LANGUAGE_TAGS }
