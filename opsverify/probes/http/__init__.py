"""What the API, the front end and the proxy answer over HTTP.

transport  one request with hard limits and phase timings · session  what the questions to one target share
media_types  what browsers take for a script or a style · next_error  whether a page is an error of Next.js
probe      all questions to one target · each other module  one question: what is asked, how it is read, the fact

Importing a question is cheap: requests is loaded when the probe runs. A run spends few requests and keeps them apart:
the API allows 100 a minute, nginx in front of it 10 a second on /api/ and 30 on /.
"""
