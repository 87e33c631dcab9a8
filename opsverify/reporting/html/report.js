// Filters kept in the address, so that what somebody looks at can be sent; unfolding; copying. All works from file://.
(() => {
  'use strict'
  const main = document.querySelector('main.ov')
  const box = main.querySelector('.ov-filterbox')
  const bar = box.querySelector('.ov-filters')
  const fields = [...bar.querySelectorAll('[name]')]
  const lists = [...main.querySelectorAll('.ov-list')]
  const MARKS = { verdict: 'v', severity: 's', chapter: 'c', state: 'n', host: 'h' }

  // pytest-html's template says neither, and hands its head to no hook. The policy: nothing is ever loaded.
  document.documentElement.lang = main.lang
  const meta = (attribute, name, content) => {
    const element = document.createElement('meta')
    element.setAttribute(attribute, name)
    element.content = content
    document.head.append(element)
  }
  meta('name', 'viewport', 'width=device-width, initial-scale=1')
  meta('http-equiv', 'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'")
  // Its script writes into the address how it sorts a table that is empty.
  history.pushState = () => {}
  addEventListener('DOMContentLoaded', () => { delete history.pushState })

  const wanted = () => {
    const hash = location.hash.slice(1)
    let at = hash
    try { at = decodeURIComponent(hash) } catch { /* nobody's place */ }
    return new URLSearchParams(hash.includes('=') ? hash : hash && { at })
  }

  const marks = (item, mark) => {
    if (mark === 'v' && !item.dataset.v) return [item.className.replace('ov-', '')]
    if (mark === 's' && !item.dataset.s) return [item.querySelector('.ov-sev').textContent]
    return (item.dataset[mark] || '').split(' ')
  }

  const fits = (item, asked) => {
    for (const [name, mark] of Object.entries(MARKS)) {
      const allowed = asked.get(name)
      if (allowed && !allowed.split(',').some((one) => marks(item, mark).includes(one))) return false
    }
    const text = (asked.get('text') || '').toLowerCase().split(/\s+/).filter(Boolean)
    return !text.length || text.every((word) => item.textContent.toLowerCase().includes(word))
  }

  const show = () => {
    const asked = wanted()
    const filtered = [...asked.keys()].some((name) => name !== 'at' && asked.get(name))
    let shown = 0
    let all = 0
    for (const list of lists) {
      let here = 0
      for (const item of list.children) {
        item.hidden = filtered && !fits(item, asked)
        here += !item.hidden
      }
      list.hidden = !here
      list.style.setProperty('--n', here)
      if (list.closest('.ov-all')) { shown += here; all += list.children.length }
    }
    for (const section of main.querySelectorAll('.ov-findings')) {
      section.hidden = [...section.querySelectorAll('.ov-list')].every((list) => list.hidden)
    }
    for (const field of fields) if (field !== document.activeElement) field.value = asked.get(field.name) || ''
    for (const chip of main.querySelectorAll('a.ov-chip')) {
      chip.toggleAttribute('aria-current', chip.hash === '#verdict=' + asked.get('verdict'))
    }
    if (filtered) box.open = true
    bar.querySelector('.ov-clear').hidden = !filtered
    bar.querySelector('.ov-status').textContent =
      filtered ? main.dataset.shown.replace('{n}', shown.toLocaleString('en')).replace('{of}', all.toLocaleString('en')) : ''
    if (asked.get('at')) goTo(asked.get('at'))
  }

  const goTo = (name) => {
    const place = document.getElementById(name)
    if (!place) return
    for (let element = place; element; element = element.parentElement) {
      element.hidden = false
      if (element.matches('details')) element.open = true
    }
    const details = place.matches('details') ? place : place.querySelector('details')
    if (details) details.open = true
    place.scrollIntoView({ block: 'start' })
    ;(details ? details.querySelector('summary') : place).focus({ preventScroll: true })
  }

  const ask = (changes) => {
    const asked = wanted()
    for (const [name, value] of Object.entries(changes)) value ? asked.set(name, value) : asked.delete(name)
    const hash = asked.toString()
    history.replaceState(null, '', location.pathname + location.search + (hash && '#' + hash))
    show()
  }

  for (const field of fields) field.addEventListener('input', () => ask({ [field.name]: field.value.trim(), at: '' }))
  bar.querySelector('.ov-clear').addEventListener('click', () => {
    history.pushState(null, '', location.pathname + location.search)
    show()
  })
  bar.querySelector('.ov-unfold').addEventListener('click', ({ currentTarget: button }) => {
    const open = button.getAttribute('aria-pressed') !== 'true'
    button.setAttribute('aria-pressed', open)
    for (const list of lists) for (const item of list.children) {
      const details = item.querySelector('details')
      if (details && !item.hidden) details.open = open
    }
  })
  document.addEventListener('click', (event) => {
    const link = event.target.closest('.ov a[href^="#"]')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    const hash = link.hash.slice(1)
    const asked = hash.includes('=') ? new URLSearchParams(hash) : wanted() // a place leaves the filters as they are
    if (!hash.includes('=')) asked.set('at', hash)
    history.pushState(null, '', '#' + asked)
    show()
  })
  addEventListener('hashchange', show)

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      const area = document.createElement('textarea')
      area.value = text
      document.body.append(area)
      area.select()
      document.execCommand('copy')
      area.remove()
    }
  }
  // What was looked at on a host stands once in the page; who unfolds a finding about that host has it there, too.
  const bringSteps = (finding) => {
    const link = finding.querySelector('.ov-links a[href^="#diagnostics-"]')
    const host = link && document.getElementById(decodeURIComponent(link.hash.slice(1)))
    if (!host || finding.querySelector('.ov-steps')) return
    const steps = document.createElement('div')
    steps.className = 'ov-steps'
    for (const step of host.querySelectorAll(':scope > details')) steps.append(step.cloneNode(true))
    link.closest('.ov-links').after(steps)
  }

  document.addEventListener('toggle', ({ target }) => {
    if (target.open && target.closest('.ov-findings')) bringSteps(target)
    for (const code of target.querySelectorAll('.ov-act kbd:not([data-seen])')) {
      code.dataset.seen = ''
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = main.dataset.copy
      button.setAttribute('aria-label', main.dataset.copy + ': ' + code.textContent)
      button.addEventListener('click', async () => {
        await copy(code.textContent)
        button.textContent = main.dataset.copied
        setTimeout(() => { button.textContent = main.dataset.copy }, 2000)
        button.focus()
      })
      code.after(button)
    }
  }, true)

  let opened = []
  addEventListener('beforeprint', () => {
    opened = [...main.querySelectorAll('.ov-findings details:not([open])')]
    for (const details of opened) details.open = true
  })
  addEventListener('afterprint', () => { for (const details of opened) details.open = false })

  box.hidden = false
  box.open = innerWidth > 700
  show()
})()
